// gateway/relay/effects.hpp: what a statement leaves in the session, kept as long as it matters.
//
// Layer: gateway/relay. Pure: an owning, usually empty, summary of proto/sql/classify.hpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proto/sql/classify.hpp"

namespace sluice::gateway {

struct statement_effects {
    bool any = false;                   // false: nothing below is set
    std::vector<std::string> settings;  // names touched, lower case
    bool touches_unknown = false;
    bool strings_unclear = false;  // standard_conforming_strings may not be on any more
    bool resets_all = false;
    bool resets = false;  // RESET: `settings` go back to what the client began with
    sql::pin_reason pins = sql::pin_reason::none;
    sql::pin_reason unpins = sql::pin_reason::none;
    bool opaque = false;  // DO, CALL: may have set anything
    bool more_names = false;
    sql::statement_kind name_kind = sql::statement_kind::other;
    std::string name;  // of PREPARE, DEALLOCATE, LISTEN, UNLISTEN, DECLARE, CLOSE; folded
};

statement_effects effects_of(const sql::statement_traits& traits);
inline statement_effects effects_of(std::string_view text)
{
    return effects_of(sql::classify_postgres(text));
}

// The objects that pin a session by name (prepared statements, channels, cursors), so that the
// last DEALLOCATE, UNLISTEN or CLOSE takes the pin away.
class pin_tracker {
public:
    // When a statement is sent: its pins hold, whatever comes of it.
    void pin(const statement_effects& effects);
    // When it was answered without an error, outside of a transaction: its unpins hold.
    void unpin(const statement_effects& effects);
    // DISCARD ALL was answered.
    void clear() noexcept;
    sql::pin_reason reasons() const noexcept { return reasons_; }
    bool pinned() const noexcept { return sql::any(reasons_); }

private:
    sql::pin_reason reasons_ = sql::pin_reason::none;
    std::vector<std::pair<sql::pin_reason, std::string>> names_;
};

}  // namespace sluice::gateway
