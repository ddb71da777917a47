#include "node/daemon/node_config.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <toml++/toml.h>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iomanip>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>

#include "node/host/random.hpp"
#include "runtime/base/check.hpp"
#include "runtime/ledger/tables/replica_plan.hpp"

namespace fastgpu::node {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;
using base::ErrorKind;

Error bad_file(const fs::path& file, const std::string& what, const std::string& hint = {}) {
  return {ErrorKind::invalid, ErrorCode::usage, file.string() + ": " + what, hint};
}

/// Whole and durable, or not at all: written beside, synced, renamed.
base::Status write_file(const fs::path& file, std::string_view text) {
  const fs::path beside = file.string() + ".new";
  const int fd = ::open(beside.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  bool good = fd >= 0;
  for (std::size_t done = 0; good && done < text.size();) {
    const ssize_t written = ::write(fd, text.data() + done, text.size() - done);
    good = written > 0;
    done += good ? static_cast<std::size_t>(written) : 0;
  }
  good = good && ::fsync(fd) == 0;
  if (fd >= 0) {
    ::close(fd);
  }
  good = good && ::rename(beside.c_str(), file.c_str()) == 0;
  const int folder = ::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  good = good && folder >= 0 && ::fsync(folder) == 0;
  if (folder >= 0) {
    ::close(folder);
  }
  if (!good) {
    return bad_file(file, std::string("cannot be written: ") + std::strerror(errno),
                    "check the folder's owner and the room on its disk");
  }
  return {};
}

base::Result<toml::table> read_toml(const fs::path& file) {
  try {
    return toml::parse_file(file.string());
  } catch (const toml::parse_error& error) {
    std::ostringstream what;
    what << error.description() << " (line " << error.source().begin.line << ")";
    return bad_file(file, what.str(), "make the folder with fastgpu-node init or join");
  }
}

std::optional<Error> unknown_key(const fs::path& file, const toml::table& table,
                                 const std::set<std::string, std::less<>>& known,
                                 const std::string& prefix) {
  for (const auto& [key, value] : table) {
    if (!known.contains(key.str())) {
      return bad_file(
          file,
          "unknown key " + prefix + std::string(key.str()) + " (line " +
              std::to_string(value.source().begin.line) + ")",
          "known here: " + [&] {
            std::string words;
            for (const std::string& word : known) {
              words += (words.empty() ? "" : ", ") + word;
            }
            return words;
          }());
    }
  }
  return std::nullopt;
}

std::string quoted(const std::string& text) {
  std::ostringstream out;
  out << toml::value<std::string>(text);
  return out.str();
}

std::string hex(std::uint64_t value) {
  std::ostringstream out;
  out << std::hex << std::setw(16) << std::setfill('0') << value;
  return out.str();
}

std::uint64_t parse_hex(std::string_view text) {
  std::uint64_t value = 0;
  for (const char c : text) {
    const int digit = c <= '9' ? c - '0' : c - 'a' + 10;
    value = value << 4 | static_cast<std::uint64_t>(digit & 15);
  }
  return value;
}

std::string members_toml(const std::vector<protocol::NodeInfo>& members) {
  std::string text;
  for (const protocol::NodeInfo& member : members) {
    text += "\n[[member]]\nnode = " + std::to_string(member.node.value) +
            "\nname = " + quoted(member.name) + "\naddress = " + quoted(member.address) +
            "\nstore = " + quoted(hex(member.store.value)) + "\nkey = " + quoted(member.key) + "\n";
  }
  return text;
}

std::string clients_toml(const std::vector<protocol::ClientKey>& clients) {
  std::string text;
  for (const protocol::ClientKey& client : clients) {
    text += "\n[[client]]\nname = " + quoted(client.name) + "\nkey = " + quoted(client.key) + "\n";
  }
  return text;
}

std::vector<protocol::ClientKey> clients_of(const toml::table& table) {
  std::vector<protocol::ClientKey> clients;
  if (const toml::array* list = table["client"].as_array()) {
    for (const toml::node& item : *list) {
      if (const toml::table* client = item.as_table()) {
        clients.push_back({(*client)["name"].value_or(std::string{}),
                           (*client)["key"].value_or(std::string{}), false});
      }
    }
  }
  return clients;
}

std::vector<protocol::NodeInfo> members_of(const toml::table& table) {
  std::vector<protocol::NodeInfo> members;
  if (const toml::array* list = table["member"].as_array()) {
    for (const toml::node& item : *list) {
      if (const toml::table* member = item.as_table()) {
        members.push_back({{(*member)["node"].value_or(0u)},
                           (*member)["name"].value_or(std::string{}),
                           (*member)["address"].value_or(std::string{}),
                           {parse_hex((*member)["store"].value_or(std::string{}))},
                           (*member)["key"].value_or(std::string{})});
      }
    }
  }
  return members;
}

/// "first-last".
std::optional<exec::UserRange> parse_users(const std::string& text) {
  std::istringstream words(text);
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  char dash = 0;
  if (!(words >> first >> dash >> last) || dash != '-' || last < first ||
      words.peek() != std::istringstream::traits_type::eof()) {
    return std::nullopt;
  }
  return exec::UserRange{first, last - first + 1};
}

}  // namespace

NodeFolder::NodeFolder(const fs::path& folder) {
  std::error_code failed;
  folder_ = fs::weakly_canonical(folder, failed);
  if (failed || !folder_.is_absolute()) {
    folder_ = fs::absolute(folder);
  }
}

bool NodeFolder::is_founded() const {
  return fs::exists(folder_ / "identity.toml");
}

base::Status NodeFolder::begin(const NodeSettings& settings) const {
  if (is_founded()) {
    return Error{
        ErrorKind::rejected, ErrorCode::name_taken,
        folder_.string() + " is a node's folder already",
        "start it with fastgpu-node run --dir " + folder_.string() + ", or choose another --dir"};
  }
  std::error_code failed;
  fs::create_directories(folder_, failed);
  if (failed) {
    return bad_file(folder_, "cannot be made: " + failed.message());
  }
  const std::string node_toml = "[node]\nname = " + quoted(settings.name) +
                                "\n\n[cluster]\nlisten = " + quoted(settings.listen) +
                                "\n\n[devices]\ncpu = " + std::to_string(settings.cpu_devices) +
                                "\nnull = " + std::to_string(settings.null_devices) +
                                "\narena_bytes = " + std::to_string(settings.arena_bytes) + "\n";
  return write_file(folder_ / "node.toml", node_toml);
}

base::Status NodeFolder::found(const NodeIdentity& identity) const {
  return write_file(
      folder_ / "identity.toml",
      "# Who this node is. Written once; do not edit or copy it.\ncluster = " +
          quoted(to_string(identity.cluster)) + "\nnode = " + std::to_string(identity.node.value) +
          "\nshard_count = " + std::to_string(identity.shard_count) + "\nfounder = " +
          (identity.founder ? "true" : "false") + "\njoin_token = " + quoted(identity.join_token) +
          "\nreplicas = " + std::to_string(identity.replicas) + "\n" +
          members_toml(identity.members) + clients_toml(identity.clients));
}

base::Result<NodeSettings> NodeFolder::settings() const {
  const fs::path file = folder_ / "node.toml";
  const base::Result<toml::table> read = read_toml(file);
  if (!read.ok()) {
    return read.error();
  }
  const toml::table& table = read.value();
  if (const auto error = unknown_key(file, table, {"node", "cluster", "devices", "sandbox"}, "")) {
    return *error;
  }
  const std::pair<const char*, std::set<std::string, std::less<>>> sections[] = {
      {"node", {"name"}},
      {"cluster", {"listen"}},
      {"devices", {"arena_bytes", "cpu", "null"}},
      {"sandbox", {"users"}}};
  for (const auto& [section, known] : sections) {
    if (const toml::table* inner = table[section].as_table()) {
      if (const auto error = unknown_key(file, *inner, known, std::string(section) + ".")) {
        return *error;
      }
    }
  }
  NodeSettings settings;
  settings.name = table["node"]["name"].value_or(std::string{});
  settings.listen = table["cluster"]["listen"].value_or(std::string{});
  settings.cpu_devices = table["devices"]["cpu"].value_or(settings.cpu_devices);
  settings.null_devices = table["devices"]["null"].value_or(settings.null_devices);
  settings.arena_bytes = table["devices"]["arena_bytes"].value_or(settings.arena_bytes);
  if (settings.name.empty() || settings.listen.empty()) {
    return bad_file(file, "node.name and cluster.listen must be set");
  }
  if (const auto users = table["sandbox"]["users"]) {
    settings.users = parse_users(users.value_or(std::string{}));
    if (!settings.users) {
      return bad_file(file, "sandbox.users is no range of ids",
                      "write the first and the last, such as \"2100000000-2100065535\"");
    }
  }
  return settings;
}

base::Result<NodeIdentity> NodeFolder::identity() const {
  const fs::path file = folder_ / "identity.toml";
  const base::Result<toml::table> read = read_toml(file);
  if (!read.ok()) {
    return read.error();
  }
  const toml::table& table = read.value();
  const std::string cluster = table["cluster"].value_or(std::string{});
  NodeIdentity identity;
  identity.node = {table["node"].value_or(0u)};
  identity.shard_count = table["shard_count"].value_or(0u);
  identity.founder = table["founder"].value_or(false);
  identity.join_token = table["join_token"].value_or(std::string{});
  identity.replicas = table["replicas"].value_or(0u);
  identity.members = members_of(table);
  identity.clients = clients_of(table);
  if (cluster.size() != 32 || !identity.node || identity.shard_count == 0) {
    return bad_file(file, "is damaged: cluster, node and shard_count must be there",
                    "a node whose identity is lost must join again as a new node");
  }
  if (const base::Status good = ledger::check_replicas(ledger::replicas_of(identity.replicas));
      !good.ok()) {
    return bad_file(file, good.error().message, good.error().hint);
  }
  identity.cluster = {parse_hex(std::string_view(cluster).substr(0, 16)),
                      parse_hex(std::string_view(cluster).substr(16))};
  return identity;
}

base::Result<base::Incarnation> NodeFolder::next_incarnation() const {
  const fs::path file = folder_ / "incarnation";
  std::uint64_t last = 0;
  if (std::ifstream in(file); in && !(in >> last)) {
    return bad_file(file, "is damaged: it must hold one number",
                    "a node whose past lives are unknown must join again as a new node");
  }
  const base::Incarnation next{last + 1};
  if (base::Status written = write_file(file, std::to_string(next.value) + "\n"); !written.ok()) {
    return written.error();
  }
  return next;
}

void NodeFolder::remember(const std::vector<protocol::NodeInfo>& members) const {
  // Best effort: what is forgotten is learned again from any member that is known.
  static_cast<void>(write_file(folder_ / "members.toml", members_toml(members)));
}

std::vector<protocol::NodeInfo> NodeFolder::remembered() const {
  const fs::path file = folder_ / "members.toml";
  if (!fs::exists(file)) {
    return {};
  }
  const base::Result<toml::table> read = read_toml(file);
  return read.ok() ? members_of(read.value()) : std::vector<protocol::NodeInfo>{};
}

base::ClusterId random_cluster_id() {
  return {random_seed(), random_seed()};
}

}  // namespace fastgpu::node
