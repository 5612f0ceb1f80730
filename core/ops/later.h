/*
 * core/ops/later.h - parts of the core that land after this one; goes with the last of
 * them.
 */
#pragma weak sw__contenthash_key
#pragma weak sw__contenthash_changed
#pragma weak sw__ref_is_stored
#pragma weak sw__root_worker_id
#pragma weak sw_worker_load
#pragma weak sw_worker_layer
#pragma weak sw_worker_merge
#pragma weak sw_worker_diff
#pragma weak sw__worker_view
#pragma weak sw__worker_unview
#pragma weak sw_layer_write
#pragma weak sw_layer_commit
#pragma weak sw_layer_abandon
