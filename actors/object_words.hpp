#pragma once

/// What others ask of a blob store, done and put into the words of the answer. The store and the
/// messages know nothing of each other. Called on the objects actor, which owns the store.

#include <vector>

#include "runtime/objects/blob_store.hpp"
#include "runtime/objects/copies/copy_machine.hpp"
#include "runtime/protocol/client_messages.hpp"
#include "runtime/protocol/local_messages.hpp"
#include "runtime/protocol/peer_messages.hpp"

namespace fastgpu::actors {

base::Error object_gone(const base::ObjectHash& hash);

/// A chunk of a client's upload; the last one makes it an object with `home`.
/// A PutReply or an Error.
protocol::ClientReply put_chunk(objects::BlobStore& store, const protocol::PutChunk& chunk,
                                base::NodeId home);
/// A chunk of an object that is here.
/// A Chunk; an Error where `status` tells why the object could not be brought here.
protocol::ClientReply get_chunk(const objects::BlobStore& store, const protocol::GetChunk& get,
                                const base::Status& status);
/// The piece that another node asks for, or the word that it is not here.
protocol::ObjectPart part_for(const objects::BlobStore& store, const protocol::ObjectFetch& fetch);
/// The bytes that a worker asked for, or why it does not get them.
protocol::Staged staged_of(const objects::BlobStore& store, const protocol::Stage& stage,
                           const base::Status& status);

std::vector<base::ObjectHash> hashes_of(const std::vector<protocol::ObjectRef>& objects);
/// Why the inputs of a submit are not pinned here.
protocol::ObjectPinned refused(const protocol::ObjectPin& pin, const base::Error& why);
objects::CopiesAnswer answer_of(const protocol::CopiesKept& kept);

}  // namespace fastgpu::actors
