/*
 * tests/fuzz/pbuf_fuzz.c - any message from outside: the first byte says which. What is
 * accepted packs to bytes that are accepted and pack to the same bytes.
 */
#include "proto/content.pb-c.h"
#include "proto/control.pb-c.h"
#include "proto/errdefs.pb-c.h"
#include "proto/filesync.pb-c.h"
#include "proto/gateway.pb-c.h"
#include "proto/pb.pb-c.h"
#include "proto/pbuf.h"
#include "proto/policysession.pb-c.h"
#include "proto/status.pb-c.h"
#include "tests/fuzz/fuzz.h"

static const ProtobufCMessageDescriptor *const messages[] = {
        &pb__op__descriptor,
        &pb__definition__descriptor,
        &moby__buildkit__v1__solve_request__descriptor,
        &moby__buildkit__v1__build_history_record__descriptor,
        &moby__buildkit__v1__status_response__descriptor,
        &moby__buildkit__v1__frontend__solve_request__descriptor,
        &moby__buildkit__v1__frontend__return_request__descriptor,
        &moby__buildkit__v1__frontend__exec_message__descriptor,
        &moby__buildkit__v1__frontend__new_container_request__descriptor,
        &moby__buildkit__v1__sourcepolicy__policysession__check_policy_request__descriptor,
        &fsutil__types__packet__descriptor,
        &containerd__services__content__v1__write_content_request__descriptor,
        &errdefs__solve__descriptor,
        &google__rpc__status__descriptor,
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const ProtobufCMessageDescriptor *desc;
        sw_auto(sw_buf) once = SW_BUF_INIT, twice = SW_BUF_INIT;
        struct sw__pb_arena arena;
        ProtobufCMessage *m = NULL, *again = NULL;

        if (size == 0)
                return 0;
        desc = messages[data[0] % SW_COUNT(messages)];
        if (!fuzz_ok(sw__pb_unpack(desc, NULL, data + 1, size - 1, &m)))
                return 0;
        sw__pb_pack(m, &once);
        protobuf_c_message_free_unpacked(m, NULL);
        sw__pb_arena_init(&arena);
        fuzz_check(fuzz_ok(
                sw__pb_unpack(desc, &arena.allocator, once.data, once.len, &again)));
        sw__pb_pack(again, &twice);
        fuzz_check(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
        sw__pb_arena_release(&arena);
        return 0;
}
