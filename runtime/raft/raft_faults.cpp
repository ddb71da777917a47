#include "runtime/raft/raft_faults.hpp"

#include <array>
#include <cstddef>

namespace fastgpu::raft {
namespace {

// In the order of the enumeration.
constexpr std::array names = {
    std::string_view("none"),
    std::string_view("commit_old_terms"),
    std::string_view("no_no_op"),
    std::string_view("acknowledge_last"),
    std::string_view("keep_checked"),
    std::string_view("uncapped_after_persist"),
    std::string_view("transfer_vote"),
    std::string_view("vote_not_persisted"),
    std::string_view("votes_before_sync"),
    std::string_view("keep_vote"),
    std::string_view("term_and_vote_apart"),
    std::string_view("commit_only_last"),
    std::string_view("advertise_memory"),
    std::string_view("no_tag_test"),
    std::string_view("reply_to_present_leader"),
    std::string_view("acknowledge_before_sync"),
    std::string_view("vote_not_urgent"),
    std::string_view("campaign_while_installing"),
    std::string_view("install_reply_any_term"),
    std::string_view("install_reply_before_sync"),
    std::string_view("install_in_memory_first"),
    std::string_view("snapshot_term_at_least"),
    std::string_view("no_rollback"),
    std::string_view("tail_is_committed"),
    std::string_view("snapshot_active_members"),
    std::string_view("no_own_term_rule"),
    std::string_view("two_changes"),
    std::string_view("leave_before_commit"),
    std::string_view("promote_unready"),
    std::string_view("fail_is_no"),
    std::string_view("report_past_cut"),
    std::string_view("accept_second_leader"),
    std::string_view("accept_wrong_sender"),
    std::string_view("accept_non_members"),
    std::string_view("accept_malformed"),
    std::string_view("accept_any_term"),
    std::string_view("accept_beyond_log"),
    std::string_view("go_idle"),
    std::string_view("no_window"),
    std::string_view("whole_snapshot"),
    std::string_view("read_by_role"),
    std::string_view("accept_any_store"),
    std::string_view("ignore_store_of_reply"),
    std::string_view("cut_at_damage"),
    std::string_view("no_chain"),
    std::string_view("no_pre_vote"),
    std::string_view("no_check_quorum"),
    std::string_view("ignore_lower_terms"),
    std::string_view("accept_any_epoch"),
    std::string_view("outlive_epoch"),
    std::string_view("epoch_in_memory"),
};
static_assert(names.size() == static_cast<std::size_t>(Fault::count));

}  // namespace

std::string_view name_of(Fault fault) {
  const auto at = static_cast<std::size_t>(fault);
  return at < names.size() ? names[at] : std::string_view("?");
}

}  // namespace fastgpu::raft
