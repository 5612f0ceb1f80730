/* lib/dockerfile/blame.c - places of mistakes: a range of lines, or one word. Pure. */
#include "lib/dockerfile/parse.h"

static sw_err *
blame(sw_err *err, const struct sw_df_text *text, struct sw_df_range range, int first_char,
      int end_char)
{
        struct sw_err_source place = {
                .file = text->file,
                .language = "Dockerfile",
                .data = text->data,
                .len = text->len,
                .first_line = range.first,
                .last_line = range.last,
                .first_char = first_char,
                .end_char = end_char,
        };

        sw_err_set_source(err, &place);
        return err;
}

sw_err *
sw_df_blame(sw_err *err, const struct sw_df_text *text, struct sw_df_range range)
{
        return blame(err, text, range, 0, 0);
}

/* The piece of the joined line that byte @at is in. */
static const struct sw_df_piece *
piece_of(const struct sw_df_node *node, uint32_t at)
{
        size_t low = 0, high = node->n_pieces;

        while (high - low > 1) {
                size_t mid = low + (high - low) / 2;

                if (node->pieces[mid].at <= at)
                        low = mid;
                else
                        high = mid;
        }
        return &node->pieces[low];
}

sw_err *
sw_df_blame_word(sw_err *err, const struct sw_df_text *text, const struct sw_df_node *node,
                 const struct sw_df_word *word)
{
        if (!err || !word || !word->text || word->end <= word->at || !node->n_pieces)
                return sw_df_blame(err, text, node->range);

        const struct sw_df_piece *p = piece_of(node, word->at);
        int first = (int) (p->column + (word->at - p->at)) + 1;
        int end = (int) (p->column + (word->end - p->at)) + 1;
        struct sw_df_range range = { p->line, piece_of(node, word->end - 1)->line };

        /* A word over several lines has no one place for a caret. */
        if (range.last != range.first)
                return blame(err, text, range, 0, 0);
        return blame(err, text, range, first, end);
}

sw_err *
sw_df_blame_node(sw_err *err, const struct sw_df_text *text, const struct sw_df_node *node,
                 const struct sw_df_word *word)
{
        if (!err)
                return err;
        err = sw_df_blame_word(err, text, node, word);
        return sw_err_wrap(err, "dockerfile parse error on line %d", node->range.first);
}
