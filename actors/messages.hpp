#pragma once

/// The messages that actors of one node send each other, beside the values of runtime/protocol.
/// They are never serialized: CAF is told so for each type, at the end.

#include <caf/all.hpp>
#include <memory>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/protocol/local_messages.hpp"
#include "runtime/protocol/member_lists.hpp"
#include "runtime/protocol/peer_messages.hpp"
#include "runtime/store/store.hpp"

namespace fastgpu::actors {

/// Every actor of the node exists and the directory is complete: start. Sent once to each.
struct Begin {};

/// The time that the actor asked for has come. `at` tells a stale one.
struct Tick {
  base::Time at;
};

/// A message of a node (maybe this one), for the actor that it concerns.
struct FromPeer {
  base::NodeId node;
  base::Incarnation incarnation;
  std::shared_ptr<const protocol::PeerMessage> message;
};

/// To the link actor: send this to a node. A message to this node itself is handed over directly.
struct ToPeer {
  base::NodeId node;
  std::shared_ptr<const protocol::PeerMessage> message;
  bool may_wait{false};  ///< a little, for others to the same node; of replicas' messages
};

/// To the link actor: keep a connection to this member.
struct DialPeer {
  protocol::NodeInfo info;
};

/// From the link actor to the monitor: a connection to a node came up, or is gone.
struct PeerUp {
  base::NodeId node;
  base::Incarnation incarnation;
};
struct PeerDown {
  base::NodeId node;
  base::Incarnation incarnation;
  bool silent{false};  ///< nothing was heard for long; otherwise reset, refused or closed
};

/// A client's request, from the link actor to the gateway, and the gateway's answer.
struct FromClient {
  base::SessionId session;
  base::CallId call;
  std::shared_ptr<const protocol::ClientRequest> request;
};
struct ToClient {
  base::SessionId session;
  base::CallId call;
  std::shared_ptr<const protocol::ClientReply> reply;
};
struct ClientGone {
  base::SessionId session;
};

/// From a shard to the monitor: led here from now on, or no longer (term 0).
struct ShardLed {
  protocol::LedShard shard;
};

/// From the objects actor to itself: go on with the folders of commands.
struct FolderTurn {};

/// To the store actor: write these, then tell `reply_to` Durable with its token.
struct StoreWrite {
  caf::actor reply_to;
  store::StoreToken token;
  std::vector<store::Write> writes;
};
struct Durable {
  store::StoreToken token;
};

}  // namespace fastgpu::actors

#define FASTGPU_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)
FASTGPU_LOCAL_MESSAGE(fastgpu::actors::Begin)
FASTGPU_LOCAL_MESSAGE(fastgpu::actors::Tick)
FASTGPU_LOCAL_MESSAGE(fastgpu::actors::FromPeer)
FASTGPU_LOCAL_MESSAGE(fastgpu::actors::ToPeer)
FASTGPU_LOCAL_MESSAGE(fastgpu::actors::DialPeer)
FASTGPU_LOCAL_MESSAGE(fastgpu::actors::PeerUp)
FASTGPU_LOCAL_MESSAGE(fastgpu::actors::PeerDown)
FASTGPU_LOCAL_MESSAGE(fastgpu::actors::FromClient)
FASTGPU_LOCAL_MESSAGE(fastgpu::actors::ToClient)
FASTGPU_LOCAL_MESSAGE(fastgpu::actors::ClientGone)
FASTGPU_LOCAL_MESSAGE(fastgpu::actors::ShardLed)
FASTGPU_LOCAL_MESSAGE(fastgpu::actors::StoreWrite)
FASTGPU_LOCAL_MESSAGE(fastgpu::actors::Durable)
FASTGPU_LOCAL_MESSAGE(fastgpu::actors::FolderTurn)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::TasksReady)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::TasksGone)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::AssignAnswered)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::TasksRan)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::ShardRetired)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::Place)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::Waiting)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::SharedView)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::SharedMemberLists)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::NodeLost)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::Members)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::ReplicaStands)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::CopiesStand)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::DeviceBooks)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::ShardRequest)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::ShardReply)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::ObjectRequest)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::ObjectReply)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::Stage)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::Staged)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::Keep)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::Kept)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::PrepareFolder)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::FolderReady)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::CollectFolder)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::FolderCollected)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::DropFolder)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::DiskRoom)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::LogAppend)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::LogRead)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::LogAnswer)
