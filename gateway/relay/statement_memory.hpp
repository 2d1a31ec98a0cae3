// gateway/relay/statement_memory.hpp: what one worker knows of statements: how long they take,
// which texts come often; and what it found out of the request that it is looking at.
//
// Layer: gateway/relay. Thread: its worker's.
#pragma once

#include "drivers/api/backend.hpp"
#include "drivers/io/poller.hpp"
#include "gateway/relay/latencies.hpp"
#include "gateway/relay/parsed_texts.hpp"
#include "proto/sql/classify.hpp"

namespace sluice::gateway {

// The request at the start of a client's bytes, looked at once before it is known where it goes.
struct request_look {
    const std::byte* at = nullptr;  // where it begins; null: nothing was looked at
    std::size_t size = 0;           // up to and with its Query or Sync; 0: not all of it is there
    std::uint64_t digest = 0;
    bool only_reads = false;  // may share a link
    bool binds = false;
    const parsed_text* text = nullptr;  // of its first message, an unnamed Parse
    const char* classified = nullptr;   // the text that `traits` are of
    sql::statement_traits traits;
};

struct statement_memory {
    statement_memory(statement_table& table, const poller& of) : clock(of), texts(table) {}

    // When this turn of the loop began.
    steady_clock::time_point now() const noexcept { return clock.turn_time(); }
    // For each batch of a client's bytes: addresses mean something only until then.
    void begin() noexcept
    {
        look.at = nullptr;
        look.classified = nullptr;
    }

    const poller& clock;
    latency_table latencies;
    parsed_texts texts;
    request_look look;
};

}  // namespace sluice::gateway
