#pragma once

/// Every bound of the system in one place, the unit in the name, and the relations among them.

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace fastgpu::base::limits {

using namespace std::chrono_literals;

// --- frames and messages -------------------------------------------------------------------------
inline constexpr std::uint16_t protocol_version = 1;
inline constexpr std::size_t frame_bytes_max = 4u << 20;
inline constexpr std::size_t object_chunk_bytes = 1u << 20;
inline constexpr std::size_t task_spec_bytes_max = 64u << 10;
inline constexpr std::size_t job_data_bytes_max = 1u << 20;
inline constexpr std::size_t inline_data_bytes_max = 4u << 10;
inline constexpr std::size_t inline_output_bytes_max = 1u << 10;
inline constexpr std::size_t name_bytes_max = 256;
inline constexpr std::size_t message_text_bytes_max = 64u << 10;
inline constexpr std::size_t kernel_arguments_max = 64;
inline constexpr std::size_t reader_nesting_max = 24;
inline constexpr std::size_t message_list_items_max = 256u << 10;
inline constexpr std::chrono::nanoseconds duration_max = 24h * 3653;  ///< ten years

// --- jobs ----------------------------------------------------------------------------------------
inline constexpr std::uint32_t array_tasks_max = 10'000'000;
inline constexpr std::size_t dependencies_max = 256;
inline constexpr std::size_t labels_max = 32;
inline constexpr std::size_t label_name_bytes_max = 64;
inline constexpr std::size_t label_value_bytes_max = 256;
inline constexpr std::size_t task_item_ranges_max = 4096;
inline constexpr std::uint32_t retries_node_loss_default = 5;
inline constexpr std::chrono::nanoseconds kernel_time_limit_default = 1h;
inline constexpr std::uint64_t object_bytes_max = 16ull << 30;
inline constexpr std::size_t listed_jobs_max = 1000;
inline constexpr std::size_t task_outputs_max = 1024;

// --- commands ------------------------------------------------------------------------------------
inline constexpr std::size_t command_arguments_max = 4096;  ///< words, and names in environment
inline constexpr std::size_t command_files_max = 1024;      ///< inputs, and outputs, of one task
inline constexpr std::size_t path_bytes_max = 1024;
inline constexpr std::uint64_t command_folder_bytes_max = 64ull << 30;
inline constexpr std::uint64_t command_folder_entries_max = 1'000'000;  ///< then it counts as full
inline constexpr std::size_t command_inline_bytes_max = 64u << 10;   ///< of a task's small outputs
inline constexpr std::size_t command_entries_looked_at_max = 16384;  ///< for outputs, in its folder
inline constexpr std::chrono::nanoseconds command_stop_grace = 2s;   ///< from SIGTERM to SIGKILL
inline constexpr std::size_t command_text_bytes_max = 160u << 10;    ///< words and environment
inline constexpr std::size_t commands_in_flight_max = 512;           ///< of one warden
inline constexpr std::size_t command_output_piece_bytes_max = 64u << 10;
inline constexpr std::chrono::nanoseconds command_output_interval = 2ms;
inline constexpr std::chrono::nanoseconds command_memory_interval = 50ms;  ///< while it has a limit
inline constexpr std::chrono::nanoseconds command_peak_interval = 1s;      ///< else, at last
inline constexpr std::chrono::nanoseconds command_folder_interval = 200ms;
inline constexpr std::chrono::nanoseconds lease_command = 2min;
inline constexpr std::chrono::nanoseconds lease_command_max = 7 * 24h;
inline constexpr std::size_t listed_results_max = 1000;

// --- waiting -------------------------------------------------------------------------------------
inline constexpr std::chrono::nanoseconds heartbeat_interval = 50ms;
inline constexpr std::chrono::nanoseconds replica_heartbeat_interval = 100ms;  ///< of real nodes
inline constexpr std::chrono::nanoseconds replica_gather_delay = 5ms;          ///< to share a frame
inline constexpr std::chrono::nanoseconds election_timeout_min = 500ms;
inline constexpr std::chrono::nanoseconds election_timeout_max = 1s;
inline constexpr std::chrono::nanoseconds early_election_step = 50ms;  ///< between its voters
inline constexpr std::chrono::nanoseconds books_interval = 200ms;
inline constexpr std::chrono::nanoseconds suspect_after = 1s;
inline constexpr std::chrono::nanoseconds rpc_timeout = 2s;
inline constexpr int rpc_tries_max = 3;
inline constexpr std::chrono::nanoseconds list_timeout = 1s;
inline constexpr std::chrono::nanoseconds dependency_ask_interval = 500ms;
inline constexpr std::chrono::nanoseconds client_wait_max = 1s;
inline constexpr std::chrono::nanoseconds leader_retry_interval = 100ms;
inline constexpr std::chrono::nanoseconds client_backoff_min = 20ms;
inline constexpr std::chrono::nanoseconds client_backoff_max = 1s;
inline constexpr std::chrono::nanoseconds lease_safe = 10s;
inline constexpr std::chrono::nanoseconds lease_renew_interval = 3s;
inline constexpr std::chrono::nanoseconds finish_resend_interval = 500ms;
inline constexpr std::chrono::nanoseconds keep_retry_min = 250ms;
inline constexpr std::chrono::nanoseconds keep_retry_max = 8s;
inline constexpr std::chrono::nanoseconds keep_deadline = 60s;
inline constexpr std::chrono::nanoseconds link_alive_interval = 250ms;
inline constexpr std::chrono::nanoseconds link_silent_after = 2s;
inline constexpr std::chrono::nanoseconds link_redial_min = 20ms;
inline constexpr std::chrono::nanoseconds link_redial_max = 500ms;

// --- queues --------------------------------------------------------------------------------------
inline constexpr std::size_t peer_send_queue_bytes_max = 64u << 20;
inline constexpr std::size_t client_send_queue_bytes_max = 16u << 20;
inline constexpr std::size_t link_credit_bytes = 16u << 20;
inline constexpr std::size_t proposals_in_flight_max = 4096;
inline constexpr std::size_t live_jobs_per_shard_max = 1'000'000;
inline constexpr std::uint32_t device_queue_tasks_max = 1024;
inline constexpr std::uint32_t assign_tasks_max = 256;
inline constexpr std::uint32_t unsettled_tasks_per_shard_max = 4096;  ///< of a device
inline constexpr std::uint32_t unsettled_tasks_max = 2 * unsettled_tasks_per_shard_max;
inline constexpr std::uint32_t unsettled_tasks_reserved = 256;  ///< for each shard, beyond the sum
inline constexpr std::size_t client_calls_in_flight_max = 1024;
inline constexpr std::size_t gateway_calls_in_flight_max = 16384;
inline constexpr std::size_t client_bytes_in_flight_max = 32u << 20;
inline constexpr std::size_t gateway_bytes_in_flight_max = 256u << 20;
inline constexpr std::size_t sessions_max = 4096;
inline constexpr std::size_t transfer_chunks_in_flight_max = 4;
inline constexpr std::size_t client_servers_max = 64;

// --- ledger --------------------------------------------------------------------------------------
inline constexpr std::size_t finished_jobs_kept_max = 100'000;
inline constexpr std::uint64_t finished_job_bytes_kept_max = 1ull << 30;
inline constexpr std::size_t entry_bytes_max = 1u << 20;  ///< more records wait for the next entry
inline constexpr std::size_t entry_records_max = 4096;
inline constexpr std::size_t entries_in_flight_max = 4;
inline constexpr std::size_t small_entries_in_flight_max = 32;  ///< together no larger than this:
inline constexpr std::size_t small_entries_bytes_max = 16u << 10;
inline constexpr std::size_t shard_requests_pending_max = 16384;
inline constexpr std::size_t shard_watchers_max = 65536;
inline constexpr std::chrono::nanoseconds job_wait_max = 5min;
inline constexpr std::size_t listed_bytes_max = 1u << 20;
inline constexpr std::uint64_t compact_after_entries = 16384;
inline constexpr std::size_t dependency_ask_jobs_max = 4096;     ///< of one message
inline constexpr std::size_t dependency_asks_pending_max = 256;  ///< of other shards, at a leader

// --- storage -------------------------------------------------------------------------------------
inline constexpr std::size_t store_pending_bytes_max = 64u << 20;
inline constexpr std::size_t proposal_bytes_in_flight_max = 16u << 20;
inline constexpr std::size_t object_uploads_max = 1024;
inline constexpr std::size_t object_read_bytes_max = 64u << 20;
inline constexpr std::size_t packed_object_bytes_max = 64u << 10;
inline constexpr std::size_t pack_bytes_full = 16u << 20;        ///< then the next pack begins
inline constexpr std::uint64_t disk_reserve_bytes = 512u << 20;  ///< objects leave it to the store
inline constexpr std::uint64_t disk_reserve_divisor = 8;  ///< of a small disk, that part instead
inline constexpr std::chrono::nanoseconds disk_look_interval = 500ms;
inline constexpr std::size_t pin_log_entries_min = 65536;  ///< before it is written anew
inline constexpr std::size_t pin_check_owners_max = 4096;
inline constexpr std::size_t object_removals_max = 256;                ///< at a time
inline constexpr std::chrono::nanoseconds pin_retry_interval = 500ms;  ///< of a submit's inputs
inline constexpr std::chrono::nanoseconds pin_check_interval = 10s;
inline constexpr std::chrono::nanoseconds pin_settle = 5min;  ///< a submit is recorded by then
inline constexpr std::chrono::nanoseconds object_look_interval = 10s;
inline constexpr std::chrono::nanoseconds object_grace = 1h;  ///< from its last pin to its removal
inline constexpr std::chrono::nanoseconds object_grace_tight = 5min;  ///< on a disk nearly full
inline constexpr std::size_t folder_slice_bytes = 4u << 20;  ///< of a job's folder, in one turn
inline constexpr std::size_t folder_slice_files = 64;
inline constexpr std::size_t folder_sweep_entries = 256;
inline constexpr std::size_t folder_works_max = 4096;

inline constexpr std::size_t copy_objects_max = 256;  ///< of one ask to keep copies
inline constexpr std::size_t stand_ins_max = 3;  ///< asked to pin inputs of one home, one by one
inline constexpr std::size_t copy_asks_in_flight_max = 16;  ///< that nobody waits for
inline constexpr std::size_t copy_waits_max = 1024;         ///< submits and finishes, at a node
inline constexpr std::size_t copy_works_max = 1024;         ///< asks of others, at a node
inline constexpr std::size_t copy_look_pins = 4096;         ///< looked at in one turn
inline constexpr std::chrono::nanoseconds copy_look_interval = 50ms;
inline constexpr std::chrono::nanoseconds copy_wait_submit = 750ms;  ///< then with fewer copies
inline constexpr std::chrono::nanoseconds copy_wait_finish = 10s;
inline constexpr std::chrono::nanoseconds copy_repeat_interval = 500ms;
inline constexpr std::chrono::nanoseconds copy_ask_deadline = 5min;  ///< the largest take as long
inline constexpr std::chrono::nanoseconds copy_retry_delay = 10s;    ///< of a node that refused
inline constexpr std::chrono::nanoseconds copy_grace = 30s;  ///< from a holder's fall to new copies

inline constexpr std::size_t transfer_window_pieces = 4;
inline constexpr std::uint64_t transfer_bytes_in_flight_max = 256u << 20;

// --- logs of tasks, on each node
// ------------------------------------------------------------------
inline constexpr std::uint64_t log_bytes_per_job_max = 64ull << 20;  ///< then it is cut, visibly
inline constexpr std::uint64_t log_bytes_max = 8ull << 30;  ///< of all jobs; the oldest go first
inline constexpr std::size_t log_jobs_max = finished_jobs_kept_max * 2;
inline constexpr std::size_t log_record_bytes_max = 64u << 10;  ///< longer ones become several
inline constexpr std::size_t log_read_bytes_max = 1u << 20;     ///< of one answer, as stored
inline constexpr std::size_t log_scan_bytes_max = 8u << 20;     ///< looked at for one answer
inline constexpr std::size_t log_files_open_max = 64;
inline constexpr std::size_t log_readers_max = 16384;
inline constexpr std::size_t log_asks_open_max = 256;  ///< of one follower, at as many nodes
inline constexpr std::chrono::nanoseconds log_job_poll_interval = 250ms;
inline constexpr std::chrono::nanoseconds log_merge_window = 50ms;
inline constexpr std::chrono::nanoseconds log_tail_grace = 2s;  ///< for output after a job's end
inline constexpr std::chrono::nanoseconds log_retry_min = 250ms;
inline constexpr std::chrono::nanoseconds log_retry_max = 2s;

// --- devices -------------------------------------------------------------------------------------
inline constexpr std::uint32_t block_threads_max = 1024;
inline constexpr std::uint32_t block_z_max = 64;
inline constexpr std::uint32_t grid_x_max = 0x7fffffff;
inline constexpr std::uint32_t grid_yz_max = 65535;
inline constexpr std::size_t shared_memory_bytes_max = 227u << 10;

static_assert(heartbeat_interval * 4 <= suspect_after, "a few lost heartbeats are no suspicion");
static_assert((replica_heartbeat_interval + replica_gather_delay) * 4 <= election_timeout_min,
              "a few late heartbeats are no reason for an election");
static_assert((replica_heartbeat_interval * 2 + replica_gather_delay) * 2 <= election_timeout_min,
              "an answer that waits an interval comes long before a leader steps down");
static_assert(replica_gather_delay * 4 <= heartbeat_interval);
static_assert(election_timeout_min < election_timeout_max);
static_assert(early_election_step * 4 < election_timeout_min,
              "all voters of a group have tried before one gives the leader up by itself");
static_assert(books_interval * 2 <= suspect_after);
static_assert(link_alive_interval * 4 <= link_silent_after,
              "a few late signs of life are no silence");
static_assert(link_redial_min <= link_redial_max);
static_assert(lease_renew_interval * 2 < lease_safe, "a lease survives one lost renewal");
static_assert(rpc_timeout < lease_safe);
static_assert(keep_retry_min < keep_retry_max && keep_retry_max < keep_deadline);
static_assert(lease_safe <= lease_command, "what may not overlap is not given up sooner");
static_assert(kernel_arguments_max <= task_outputs_max);
static_assert(command_files_max <= task_outputs_max);
static_assert(list_timeout < rpc_timeout,
              "a listing gives up on a silent node before its asker does");
static_assert(leader_retry_interval * 4 <= rpc_timeout);
static_assert(dependency_ask_interval >= 4 * heartbeat_interval);
static_assert(dependency_ask_jobs_max <= message_list_items_max);
static_assert(client_backoff_min <= client_backoff_max);
static_assert(client_calls_in_flight_max <= gateway_calls_in_flight_max);
static_assert(client_bytes_in_flight_max <= gateway_bytes_in_flight_max);
static_assert(client_bytes_in_flight_max >= 2 * frame_bytes_max, "a single request always fits");
static_assert(client_bytes_in_flight_max >= 2 * link_credit_bytes,
              "a client that uploads as fast as its link allows is not refused");
static_assert(transfer_chunks_in_flight_max * object_chunk_bytes * 2 <= link_credit_bytes);
static_assert(object_chunk_bytes * 2 <= frame_bytes_max, "a chunk fits a frame with its envelope");
static_assert((task_spec_bytes_max + job_data_bytes_max) * 2 <= frame_bytes_max,
              "a job fits a frame");
static_assert(link_credit_bytes >= 2 * frame_bytes_max, "credits never stop a single frame");
static_assert(peer_send_queue_bytes_max >= link_credit_bytes);
static_assert(proposal_bytes_in_flight_max >= 2 * frame_bytes_max);
static_assert(proposal_bytes_in_flight_max >= entries_in_flight_max * 2 * entry_bytes_max);
static_assert(entries_in_flight_max <= small_entries_in_flight_max &&
                  small_entries_in_flight_max <= proposals_in_flight_max,
              "small entries are more, and a log takes them all");
static_assert(small_entries_bytes_max <= entry_bytes_max, "they cost what one entry may");
static_assert(entry_bytes_max * 2 <= frame_bytes_max, "the last record of an entry may be long");
static_assert(listed_bytes_max * 2 <= frame_bytes_max);
static_assert(store_pending_bytes_max >= 2 * proposal_bytes_in_flight_max);
static_assert(log_record_bytes_max * 2 <= log_read_bytes_max, "an answer holds a record");
static_assert(log_read_bytes_max * 3 <= frame_bytes_max,
              "an answer of many short records fits a frame");
static_assert(log_bytes_per_job_max * 16 <= log_bytes_max);
static_assert(log_asks_open_max * 2 <= client_calls_in_flight_max);
static_assert(inline_output_bytes_max <= inline_data_bytes_max);
static_assert(inline_output_bytes_max <= command_inline_bytes_max);
static_assert(pin_settle >= rpc_timeout * rpc_tries_max * 10,
              "an owner that the ledger does not know yet is not taken for one that it forgot");
static_assert(rpc_timeout < pin_check_interval);
static_assert(pin_retry_interval * 4 <= rpc_timeout);
static_assert(copy_wait_submit * 2 <= rpc_timeout, "a submit has time left for its ledger");
static_assert(copy_ask_deadline <= pin_settle, "a late copy is not of an owner long forgotten");
static_assert(object_grace_tight <= object_grace);
static_assert(packed_object_bytes_max <= object_chunk_bytes);
static_assert(command_files_max <= command_entries_looked_at_max);
static_assert(assign_tasks_max <= device_queue_tasks_max);

static_assert(transfer_window_pieces * object_chunk_bytes * 2 <= link_credit_bytes,
              "the pieces asked for fit the credit of the link that brings them");

}  // namespace fastgpu::base::limits
