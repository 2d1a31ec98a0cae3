// proto/pg/client_messages.hpp: the messages that a client may send once it is logged in.
//
// PostgreSQL documentation, 55.7 "Message Formats", those marked (F).
// Layer: proto. Pure.
#pragma once

#include <cstdint>

namespace sluice::pg {

enum class client_message : std::uint8_t {
    unknown,  // the connection is of no use any more
    request,  // Query, Parse, Bind, Describe, Close, Execute, FunctionCall
    sync,     // ends a sequence of such: answered with ReadyForQuery
    // CopyData, CopyDone, CopyFail, Flush: never answered by themselves, and passed over where
    // nothing runs, as the server drops those that come late (55.2.6)
    unanswered,
    terminate,
};

constexpr client_message kind_of(char type) noexcept
{
    switch (type) {
        case 'Q':
        case 'P':
        case 'B':
        case 'D':
        case 'C':
        case 'E':
        case 'F':
            return client_message::request;
        case 'S':
            return client_message::sync;
        case 'd':
        case 'c':
        case 'f':
        case 'H':
            return client_message::unanswered;
        case 'X':
            return client_message::terminate;
        default:
            return client_message::unknown;
    }
}

}  // namespace sluice::pg
