#include "runtime/session/request_check.hpp"

#include <string>

#include "runtime/base/limits.hpp"
#include "runtime/books/funnel.hpp"

namespace fastgpu::session {
namespace {

namespace limits = base::limits;

base::Error invalid(base::ErrorCode code, std::string message, std::string hint) {
  return {base::ErrorKind::invalid, code, std::move(message), std::move(hint)};
}

base::Error no_such_node(base::NodeId node) {
  return {base::ErrorKind::rejected, base::ErrorCode::not_found,
          "there is no node " + base::to_string(node) + " in this cluster",
          "fastgpu node list shows its nodes"};
}

class Checker {
 public:
  explicit Checker(const ClusterMap& map) : map_(map) {}

  base::Status operator()(const protocol::Submit& submit) const {
    if (submit.request.shard.value >= map_.layout().shard_count) {
      return invalid(base::ErrorCode::bad_argument,
                     "the request names shard " + std::to_string(submit.request.shard.value) +
                         "; the cluster has " + std::to_string(map_.layout().shard_count),
                     "connect again: the node tells which shards there are");
    }
    if (!submit.spec) {
      return invalid(base::ErrorCode::bad_job_spec, "the submit has no job in it", "");
    }
    if (const base::Status status = check_spec(*submit.spec); !status.ok()) {
      return status;
    }
    const books::Funnel funnel = books::look_at(submit.spec->request, map_.view().nodes);
    if (funnel.infeasible() && !submit.spec->wait_if_infeasible) {
      return funnel.error();
    }
    return {};
  }

  base::Status operator()(const protocol::PutChunk& put) const {
    if (put.size_bytes > limits::object_bytes_max || put.data.size() > limits::object_chunk_bytes) {
      return invalid(base::ErrorCode::too_large,
                     "an object of " + std::to_string(put.size_bytes) + " bytes in pieces of " +
                         std::to_string(put.data.size()) + " is over the limits of " +
                         std::to_string(limits::object_bytes_max) + " and " +
                         std::to_string(limits::object_chunk_bytes),
                     "split the data over several buffers");
    }
    if (put.offset > put.size_bytes || put.data.size() > put.size_bytes - put.offset) {
      return invalid(base::ErrorCode::bad_argument,
                     "a piece of an object reaches beyond its end of " +
                         std::to_string(put.size_bytes) + " bytes",
                     "");
    }
    return {};
  }

  base::Status operator()(const protocol::GetChunk& get) const {
    if (get.length > limits::object_chunk_bytes) {
      return invalid(base::ErrorCode::too_large,
                     "a piece of " + std::to_string(get.length) + " bytes was asked for; at most " +
                         std::to_string(limits::object_chunk_bytes) + " are sent at once",
                     "ask for less and go on from there");
    }
    return {};
  }

  base::Status operator()(const protocol::ReadLog& read) const {
    if (map_.find(read.node) == nullptr) {
      return no_such_node(read.node);
    }
    return {};
  }

  base::Status operator()(const protocol::Join& join) const {
    for (const std::string* text : {&join.name, &join.address, &join.token, &join.key}) {
      if (text->size() > limits::name_bytes_max) {
        return invalid(base::ErrorCode::too_large,
                       "the name, address, token or key of a joining node is longer than " +
                           std::to_string(limits::name_bytes_max) + " bytes",
                       "");
      }
    }
    if (join.name.empty() || join.address.empty()) {
      return invalid(base::ErrorCode::bad_argument, "a joining node needs a name and an address",
                     "give both: fastgpu-node join ... --name n2 --listen HOST:PORT");
    }
    return {};
  }

  base::Status operator()(const protocol::ChangeMember& change) const {
    if (map_.find(change.node) == nullptr) {
      return no_such_node(change.node);
    }
    return {};
  }

  base::Status operator()(const protocol::SetClientKey& set) const {
    const protocol::ClientKey& client = set.client;
    if (client.name.empty() || client.key.empty() || client.name.size() > limits::name_bytes_max ||
        client.key.size() > limits::name_bytes_max) {
      return invalid(base::ErrorCode::bad_argument,
                     "a client needs a name and a key, of at most " +
                         std::to_string(limits::name_bytes_max) + " bytes each",
                     "");
    }
    return {};
  }

  /// The others have no bounds of their own.
  template <class Request>
  base::Status operator()(const Request&) const {
    return {};
  }

 private:
  const ClusterMap& map_;
};

}  // namespace

base::Status check_hello(const protocol::Hello& hello) {
  if (hello.protocol_version == limits::protocol_version) {
    return {};
  }
  return base::Error{base::ErrorKind::rejected, base::ErrorCode::version_skew,
                     "the client speaks version " + std::to_string(hello.protocol_version) +
                         " of the protocol, this node version " +
                         std::to_string(limits::protocol_version),
                     "install the same release of FastGPU on both"};
}

base::Status check_request(const protocol::ClientRequest& request, const ClusterMap& map) {
  return std::visit(Checker(map), request);
}

}  // namespace fastgpu::session
