// gateway/relay/my_statements.hpp: prepared statements of MySQL clients, shared by text.
//
// A client's statement has an id that the gateway gave it. Behind it stands a my_statement, shared
// by all clients that prepared the same text in the same context (schema, sql_mode, character set),
// and each backend has an id of its own for it, once it was prepared there.
//
// Layer: gateway/relay. The table is thread-safe; it is used when a client prepares, not when it
// executes. The rest belongs to one link or one lane.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "gateway/relay/my_effects.hpp"
#include "gateway/relay/settings.hpp"
#include "proto/core/bytes.hpp"

namespace sluice::gateway {

struct my_statement {
    std::uint64_t id = 0;
    std::string text;
    session_settings context;  // see parse_context()
    my_effects effects;
};

using my_statement_ref = std::shared_ptr<const my_statement>;  // by clients and by the table

class my_statement_table {
public:
    my_statement_ref intern(std::string_view text,
                            const session_settings& context,
                            sql::mysql_mode mode);
    // One of its own, for a client that has the same text prepared already: two cursors need two.
    my_statement_ref make_another(const my_statement& like);
    std::size_t size() const;

private:
    void collect();

    mutable std::mutex mutex_;
    std::unordered_map<std::string, my_statement_ref> known_;  // by text and context
    std::uint64_t next_id_ = 1;
    std::size_t collect_at_ = 1024;
};

// Which types a server remembers for a statement's parameters, from the last execution that named
// them. Zero: none yet.
using types_mark = std::uint64_t;
types_mark mark_of(std::string_view types) noexcept;

// What one backend has prepared, least recently used first.
class my_prepared_cache {
public:
    struct entry {
        std::uint64_t statement = 0;
        std::uint32_t backend_id = 0;
        types_mark types = 0;
    };

    // Marks it used; null: not prepared here. Valid until the next change.
    entry* use(std::uint64_t statement);
    // Returns the backend's id that the new one replaces.
    std::optional<std::uint32_t> add(std::uint64_t statement, std::uint32_t backend_id);
    void remove(std::uint64_t statement);
    void clear();
    std::size_t size() const noexcept { return index_.size(); }
    const entry& oldest() const noexcept { return order_.front(); }

private:
    std::list<entry> order_;
    std::unordered_map<std::uint64_t, std::list<entry>::iterator> index_;
};

// A statement as its client knows it.
struct my_client_statement {
    my_statement_ref statement;
    my_statement_ref instead;  // what was executed last, if that was another: see my_lane::answered
    const my_statement& here() const noexcept { return instead ? *instead : *statement; }
    std::uint16_t parameters = 0;
    bool has_cursor = false;     // on the leased backend
    bool has_long_data = false;  // likewise
    std::string types;           // two bytes each, as the client said them last
    types_mark mark = 0;         // of `types`
};

// COM_STMT_EXECUTE's payload, as far as the parameters' types.
//
//   0x17 id:u32 flags:u8 1:u32 [nulls:byte[(n + 7) / 8] new:u8 [type:u16[n] values]]
struct my_execute {
    std::uint32_t id = 0;
    std::uint8_t flags = 0;
    bool complete = true;      // false: too short for its parameters; the server says so
    bool names_types = false;  // `new` is 1
    std::size_t types_at = 0;  // in the payload; where they would be, if not named
};
// Bytes of the payload that parse_execute() wants to see, if there are so many.
std::size_t execute_prefix(std::uint16_t parameters) noexcept;
my_execute parse_execute(bytes_view payload, std::uint16_t parameters) noexcept;

}  // namespace sluice::gateway
