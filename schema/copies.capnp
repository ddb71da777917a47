# The conversation of nodes about copies of objects.
#
#   home   -> others   KeepCopies, before it tells that it has pinned; answered by CopiesKept
#   holder -> others   the same, when the home or another holder is gone
#
# Both may be lost, repeated or late. Who is asked twice has one copy and answers twice.

@0x8efc7d6d5666972a;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("fastgpu::schema");
using Common = import "/schema/common.capnp";

struct KeepCopies {
  # Have copies of these objects, which the sender has, and pin them. Set by a node that has pinned
  # them itself; sent again until it is answered or given up.

  call @0 :UInt64;
  # The asking node's own number for it, used once in all its lives.

  request @1 :Common.RequestId;
  # Of the submit whose inputs they are; means nothing with a `job`.

  job @2 :UInt64;
  # Whose outputs they are; 0: they are inputs of `request`.

  objects @3 :List(Common.ObjectRef);
  # At most 256, each with the home that jobs know it by.
}

struct CopiesKept {
  # All of them are here and pinned durably, or not all. Set by the node that was asked.

  call @0 :UInt64;
  # KeepCopies.call, given back.

  ok @1 :Bool;

  error @2 :Common.Error;
  # Why not; means nothing with `ok`.
}
