// gateway/relay/my_effects.hpp: what a MySQL statement does to its session beyond what the server
// reports, and what it asks about the statement before it; and what keeps a client on its backend.
//
// Layer: gateway/relay. Pure: an owning summary of proto/sql/classify_mysql.hpp, without an
// allocation for statements that do nothing of the kind.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proto/sql/classify_mysql.hpp"

namespace sluice::gateway {

struct my_effects {
    sql::mysql_pin pins = sql::mysql_pin::none;
    sql::mysql_pin unpins = sql::mysql_pin::none;
    sql::looks_back looks = sql::looks_back::none;
    // SELECT, INSERT, UPDATE, DELETE or the like only: what they did to the session the server has
    // reported, also when one failed.
    bool plain = true;
    // "Something changed" is what this text says anyway: SET, USE, DEALLOCATE, ...
    bool changes_explained = false;
    bool opaque = false;        // CALL, a block: it may take locks that nobody sees
    bool unknown_call = false;  // of a function that may be a user's own: likewise
    bool only_reads = false;    // alone in its text, and may be sent again
    bool opens_transaction = false;
    bool loads_local_file = false;
    bool touches_tracking = false;  // sets session_track_*
    bool unreported = false;        // names variables in a way that MariaDB does not report
    bool kills = false;
    bool releases_lock = false;  // RELEASE_LOCK(): one of them
    bool more_names = false;
    sql::kill_words kill;
    std::uint64_t digest = 0;            // of the text
    std::string schema;                  // of USE, alone
    std::vector<std::string> variables;  // that SET names, lower case
    // Of PREPARE, DEALLOCATE, HANDLER OPEN | CLOSE, as the server compares it.
    std::string name;
    sql::mysql_kind name_kind = sql::mysql_kind::empty;
};

my_effects my_effects_of(std::string_view text, sql::mysql_mode mode = {});
// The same for a text in this character set.
my_effects my_effects_of(std::string_view text, sql::mysql_mode mode, std::string_view charset);

// What keeps a client on its backend now.
class my_pins {
public:
    // When a statement is sent: its pins hold, whatever comes of it.
    void pin(const my_effects& effects);
    // When it was answered without an error.
    void settle(const my_effects& effects);
    void clear() noexcept;

    // What the server says.
    void set_tables_locked(bool locked) noexcept;
    // For reasons of the session itself, until it is reset.
    void pin_for_good(std::string_view reason) noexcept { for_good_ = reason; }

    bool pinned() const noexcept { return sql::any(reasons_) || !for_good_.empty(); }
    // One of the reasons, for logs; empty: none.
    std::string_view reason() const noexcept;

private:
    sql::mysql_pin reasons_ = sql::mysql_pin::none;
    std::string_view for_good_;  // a constant
    std::vector<std::string> prepared_;
    bool unknown_name_ = false;  // something is prepared under a name that was not read
};

}  // namespace sluice::gateway
