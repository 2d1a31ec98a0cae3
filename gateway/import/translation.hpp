// gateway/import/translation.hpp: a pgbouncer.ini on its way to TOML: what all its parts share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/config/schema.hpp"
#include "gateway/import/ini.hpp"
#include "gateway/import/pgbouncer.hpp"
#include "gateway/import/toml_text.hpp"

namespace sluice::gateway::importing {

class translation {
public:
    translation(std::string file, ini_file from) : file_(std::move(file)), from_(std::move(from)) {}

    const ini_file& from() const noexcept { return from_; }
    // For what stands nowhere in the file.
    place start() const { return {file_, 1}; }

    // The last entry of [pgbouncer] with this name; null when the file has none.
    const ini_entry* global(std::string_view key) const noexcept;
    // Its value, or PgBouncer's default.
    std::string global_value(std::string_view key) const;

    // Errors name the place; nothing then.
    std::optional<std::int64_t> whole(const ini_entry& entry);
    std::optional<std::int64_t> milliseconds(const ini_entry& entry);
    std::optional<bool> truth(const ini_entry& entry);
    // Of a setting of [pgbouncer], its default included.
    std::int64_t global_whole(std::string_view key);
    std::int64_t global_milliseconds(std::string_view key);

    // Writes `key` of the schema's `section` into `table`, unless it is Sluice's default anyway.
    // What is outside of the key's range becomes its nearest end, with a note at `why`.
    void put(const std::string& table,
             std::string_view section,
             std::string_view key,
             const scalar& value,
             const ini_entry* why);

    void note(const place& at, std::string_view setting, std::string_view text);
    void note(const ini_entry& entry, std::string_view text) { note(entry.at, entry.key, text); }
    void error(const place& at, std::string_view text);

    import_result finish();

    toml_text out;

private:
    // Stands for a setting that the file does not have.
    ini_entry entry_of(std::string_view key) const;

    std::string file_;
    ini_file from_;
    import_result result_;
};

// [pgbouncer]; the parts below follow in this order.
void translate_process(translation& in);
void translate_listeners(translation& in);
void translate_pgbouncer_timeouts(translation& in);
// [databases]
void translate_databases(translation& in);
// auth_type, auth_file, [users], admin_users
void translate_users(translation& in);
// Whatever no other part writes.
void translate_rest(translation& in);

}  // namespace sluice::gateway::importing
