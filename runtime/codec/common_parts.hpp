#pragma once

/// Conversions of the words that all conversations share; see wire.hpp for the pattern.

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/codec/wire.hpp"
#include "runtime/protocol/job.hpp"
#include "schema/common.capnp.h"

namespace fastgpu::schema {

void write(RequestId::Builder to, const base::RequestId& from);
base::RequestId read(RequestId::Reader from, codec::Reading& reading);

void write(AttemptId::Builder to, const base::AttemptId& from);
base::AttemptId read(AttemptId::Reader from, codec::Reading& reading);

void write(DeviceId::Builder to, const base::DeviceId& from);
base::DeviceId read(DeviceId::Reader from, codec::Reading& reading);

void write(TaskRange::Builder to, const base::TaskRange& from);
/// Refuses an empty range and one that ends behind the largest array.
base::TaskRange read(TaskRange::Reader from, codec::Reading& reading);

void write(ClusterId::Builder to, const base::ClusterId& from);
base::ClusterId read(ClusterId::Reader from, codec::Reading& reading);

void write(ObjectRef::Builder to, const protocol::ObjectRef& from);
protocol::ObjectRef read(ObjectRef::Reader from, codec::Reading& reading);

void write(Payload::Builder to, const protocol::Data& from);
protocol::Data read(Payload::Reader from, codec::Reading& reading);

void write(Error::Builder to, const base::Error& from);
base::Error read(Error::Reader from, codec::Reading& reading);

}  // namespace fastgpu::schema
