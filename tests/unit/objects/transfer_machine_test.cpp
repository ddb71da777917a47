#include "runtime/objects/transfer_machine.hpp"

#include <gtest/gtest.h>

#include <utility>

#include "runtime/base/limits.hpp"
#include "runtime/base/sha256.hpp"

namespace fastgpu::objects {
namespace {

namespace limits = base::limits;
constexpr base::NodeId home{2};
const base::Time start{};

base::Bytes object_of(std::size_t size) {
  std::vector<std::uint8_t> data(size);
  for (std::size_t i = 0; i < size; ++i) {
    data[i] = static_cast<std::uint8_t>(i * 31 + i / 255);
  }
  return base::Bytes(std::move(data));
}

PieceArrived answer(const AskPiece& ask, const base::Bytes& object) {
  return {ask.hash, ask.offset, false,
          base::Bytes::copy_of(object.span().subspan(ask.offset, ask.length))};
}

/// Answers every ask until nothing is left; gives what came of it.
TransferMachine::Effects run(TransferMachine& machine, TransferMachine::Effects effects,
                             const base::Bytes& object) {
  TransferMachine::Effects ends;
  while (!effects.empty()) {
    TransferMachine::Effects next;
    for (const TransferEffect& effect : effects) {
      if (const auto* ask = std::get_if<AskPiece>(&effect)) {
        for (auto& more : machine.step(answer(*ask, object), start)) {
          next.push_back(more);
        }
      } else {
        ends.push_back(effect);
      }
    }
    effects = next;
  }
  return ends;
}

/// The bytes of an object that came in order, with nothing left out.
base::Bytes joined(const TransferMachine::Effects& ends) {
  std::vector<std::uint8_t> bytes;
  for (const TransferEffect& end : ends) {
    const auto& piece = std::get<StorePiece>(end);
    EXPECT_EQ(piece.offset, bytes.size());
    bytes.insert(bytes.end(), piece.data.data(), piece.data.data() + piece.data.size());
    EXPECT_EQ(piece.last, &end == &ends.back());
    EXPECT_EQ(piece.wanters.empty(), !piece.last);
  }
  return base::Bytes(std::move(bytes));
}

TEST(TransferMachine, BringsAnObjectOfManyPiecesWithABoundedWindow) {
  TransferMachine machine;
  const base::Bytes object = object_of(limits::object_chunk_bytes * 9 + 17);
  const base::ObjectHash hash = base::sha256(object.span());
  const auto asks = machine.step(Want{{1}, hash, object.size(), {home}}, start);
  EXPECT_EQ(asks.size(), limits::transfer_window_pieces);
  const auto ends = run(machine, asks, object);
  ASSERT_EQ(ends.size(), 10u);
  EXPECT_EQ(joined(ends), object);
  EXPECT_EQ(std::get<StorePiece>(ends[9]).wanters, (std::vector<Wanter>{{1}}));
  EXPECT_EQ(machine.active(), 0u);
}

TEST(TransferMachine, ServesAllWhoWantTheSameObjectWithOneTransfer) {
  TransferMachine machine;
  const base::Bytes object = object_of(100);
  const base::ObjectHash hash = base::sha256(object.span());
  const auto asks = machine.step(Want{{1}, hash, 100, {home}}, start);
  EXPECT_TRUE(machine.step(Want{{2}, hash, 100, {home}}, start).empty());
  const auto ends = run(machine, asks, object);
  EXPECT_EQ(std::get<StorePiece>(ends.at(0)).wanters, (std::vector<Wanter>{{1}, {2}}));
}

TEST(TransferMachine, GivesAnEmptyObjectWithoutAsking) {
  TransferMachine machine;
  const base::ObjectHash hash = base::sha256({});
  const auto effects = machine.step(Want{{7}, hash, 0, {home}}, start);
  ASSERT_EQ(effects.size(), 1u);
  EXPECT_EQ(std::get<StorePiece>(effects[0]), (StorePiece{hash, 0, true, {}, {{7}}}));
}

TEST(TransferMachine, AsksAgainAndGivesUpOnASilentHolderByItsDeadline) {
  TransferMachine machine;
  const base::ObjectHash hash = base::sha256(object_of(10).span());
  machine.step(Want{{1}, hash, 10, {home}}, start);
  base::Time now = start;
  for (int again = 1; again < limits::rpc_tries_max; ++again) {
    now = machine.next_deadline().value();
    const auto effects = machine.step(TransferTick{}, now);
    ASSERT_EQ(effects.size(), 1u);
    EXPECT_TRUE(std::holds_alternative<AskPiece>(effects[0]));
  }
  const auto effects = machine.step(TransferTick{}, machine.next_deadline().value());
  ASSERT_EQ(effects.size(), 1u);
  EXPECT_EQ(std::get<TransferFailed>(effects[0]).error.kind, base::ErrorKind::unavailable);
  EXPECT_EQ(machine.next_deadline(), std::nullopt);
}

TEST(TransferMachine, EndsAtOnceWhenTheHolderHasItNoMore) {
  TransferMachine machine;
  const base::ObjectHash hash = base::sha256(object_of(10).span());
  machine.step(Want{{1}, hash, 10, {home}}, start);
  const auto effects = machine.step(PieceArrived{hash, 0, true, {}, home}, start);
  ASSERT_EQ(effects.size(), 1u);
  EXPECT_EQ(std::get<TransferFailed>(effects[0]).error.kind, base::ErrorKind::lost);
}

TEST(TransferMachine, AsksTheNextNodeWhereOneDoesNotHaveItOrDoesNotAnswer) {
  TransferMachine machine;
  const base::Bytes object = object_of(limits::object_chunk_bytes * 2 + 17);
  const base::ObjectHash hash = base::sha256(object.span());
  auto asks = machine.step(Want{{1}, hash, object.size(), {home, {3}, {4}}}, start);
  ASSERT_EQ(asks.size(), 3u);
  const auto first = machine.step(answer(std::get<AskPiece>(asks[0]), object), start);
  ASSERT_EQ(first.size(), 1u) << "the first piece is here";
  asks = machine.step(PieceArrived{hash, limits::object_chunk_bytes, true, {}, home}, start);
  ASSERT_EQ(asks.size(), 2u) << "only what has not come is asked for again";
  EXPECT_EQ(std::get<AskPiece>(asks[0]).node, base::NodeId{3});
  EXPECT_TRUE(machine.step(PieceArrived{hash, 0, true, {}, home}, start).empty())
      << "said by a node that was given up";
  base::Time now = start;
  for (int again = 1; again <= limits::rpc_tries_max; ++again) {
    now = machine.next_deadline().value();
    asks = machine.step(TransferTick{}, now);
    ASSERT_EQ(asks.size(), 2u);
  }
  EXPECT_EQ(std::get<AskPiece>(asks[0]).node, base::NodeId{4});
  const auto ends = run(machine, asks, object);
  ASSERT_EQ(ends.size(), 2u);
  EXPECT_EQ(std::get<StorePiece>(ends[1]).wanters, (std::vector<Wanter>{{1}}));
}

TEST(TransferMachine, SaysThatAnObjectIsLostOnlyWhenAllHaveSaidThatTheyDoNotHaveIt) {
  TransferMachine machine;
  const base::ObjectHash hash = base::sha256(object_of(10).span());
  const auto missing = [&](base::NodeId from) {
    return machine.step(PieceArrived{hash, 0, true, {}, from}, start);
  };
  machine.step(Want{{1}, hash, 10, {home, {3}}}, start);
  missing(home);
  const auto lost = missing({3});
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_EQ(std::get<TransferFailed>(lost[0]).error.kind, base::ErrorKind::lost);

  machine.step(Want{{2}, hash, 10, {home, {3}}}, start);
  for (int again = 1; again <= limits::rpc_tries_max; ++again) {
    machine.step(TransferTick{}, machine.next_deadline().value());
  }
  const auto silent = missing({3});
  ASSERT_EQ(silent.size(), 1u);
  const base::Error& error = std::get<TransferFailed>(silent[0]).error;
  EXPECT_EQ(error.kind, base::ErrorKind::unavailable);
  EXPECT_NE(error.message.find("n2"), std::string::npos) << error.message;
}

TEST(TransferMachine, IgnoresPiecesThatWereNotAskedForOrCameTwice) {
  TransferMachine machine;
  const base::Bytes object = object_of(limits::object_chunk_bytes + 5);
  const base::ObjectHash hash = base::sha256(object.span());
  const auto asks = machine.step(Want{{1}, hash, object.size(), {home}}, start);
  const PieceArrived first = answer(std::get<AskPiece>(asks.at(0)), object);
  EXPECT_TRUE(machine.step(PieceArrived{hash, 3, false, object_of(1)}, start).empty());
  EXPECT_TRUE(machine.step(PieceArrived{hash, 1u << 30, false, object_of(1)}, start).empty());
  EXPECT_TRUE(machine.step(PieceArrived{hash, 0, false, object_of(1)}, start).empty());
  EXPECT_EQ(machine.step(first, start).size(), 1u);
  EXPECT_TRUE(machine.step(first, start).empty());
  const auto end = machine.step(answer(std::get<AskPiece>(asks.at(1)), object), start);
  ASSERT_EQ(end.size(), 1u);
  EXPECT_TRUE(std::get<StorePiece>(end[0]).last);
  EXPECT_TRUE(machine.step(first, start).empty()) << "late pieces mean nothing";
}

TEST(TransferMachine, LetsLargeObjectsWaitForEachOther) {
  TransferMachine machine;
  const base::ObjectHash first = base::sha256(object_of(1).span());
  const base::ObjectHash second = base::sha256(object_of(2).span());
  machine.step(Want{{1}, first, limits::transfer_bytes_in_flight_max, {home}}, start);
  EXPECT_TRUE(machine.step(Want{{2}, second, 10, {home}}, start).empty());
  const auto effects = machine.step(PieceArrived{first, 0, true, {}, home}, start);
  ASSERT_EQ(effects.size(), 2u);
  EXPECT_EQ(std::get<AskPiece>(effects[1]).hash, second);
}

TEST(TransferMachine, HoldsOneWindowOfPiecesUntilTheFirstHasCome) {
  TransferMachine machine;
  const base::Bytes object = object_of(limits::object_chunk_bytes * 9);
  const base::ObjectHash hash = base::sha256(object.span());
  const auto asks = machine.step(Want{{1}, hash, object.size(), {home}}, start);
  ASSERT_EQ(asks.size(), limits::transfer_window_pieces);
  for (std::size_t i = 1; i < asks.size(); ++i) {
    EXPECT_TRUE(machine.step(answer(std::get<AskPiece>(asks[i]), object), start).empty())
        << "neither given out before the first, nor followed by more";
  }
  const auto effects = machine.step(answer(std::get<AskPiece>(asks[0]), object), start);
  ASSERT_EQ(effects.size(), 2 * limits::transfer_window_pieces);
  for (std::size_t i = 0; i < limits::transfer_window_pieces; ++i) {
    EXPECT_EQ(std::get<StorePiece>(effects[i]).offset, i * limits::object_chunk_bytes);
  }
}

TEST(TransferMachine, RefusesAnObjectThatNobodyCouldHave) {
  TransferMachine machine;
  const base::ObjectHash hash = base::sha256(object_of(1).span());
  const auto effects = machine.step(Want{{1}, hash, limits::object_bytes_max + 1, {home}}, start);
  ASSERT_EQ(effects.size(), 1u);
  EXPECT_EQ(std::get<TransferFailed>(effects[0]).error.code, base::ErrorCode::too_large);
  EXPECT_EQ(machine.active(), 0u);
}

TEST(TransferMachine, EndsWhenAPieceCannotBeStored) {
  TransferMachine machine;
  const base::Bytes object = object_of(limits::object_chunk_bytes * 9);
  const base::ObjectHash hash = base::sha256(object.span());
  machine.step(Want{{1}, hash, object.size(), {home}}, start);
  const base::Error full{base::ErrorKind::overloaded, base::ErrorCode::disk_full, "full", ""};
  const auto effects = machine.step(StoringFailed{hash, full}, start);
  ASSERT_EQ(effects.size(), 1u);
  EXPECT_EQ(std::get<TransferFailed>(effects[0]), (TransferFailed{hash, full, {{1}}}));
  EXPECT_TRUE(machine.step(StoringFailed{hash, full}, start).empty());
}

}  // namespace
}  // namespace fastgpu::objects
