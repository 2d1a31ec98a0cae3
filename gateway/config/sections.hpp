// gateway/config/sections.hpp: reading the sections whose keys need more than a table of keys.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/config.hpp"
#include "gateway/config/document.hpp"

namespace sluice::gateway {

void read_listen(const node& table, config& into, problems& found);
void read_auth(const node& table, config& into, problems& found);
void read_databases(const node& table, config& into, problems& found);
void read_users(const node& table, config& into, problems& found);
void read_tenants(const node& table, config& into, problems& found);

// What only the whole file can tell: something listens, users name known databases, ...
void check_whole(const node& root, const config& settings, problems& found);

// The engine's own connection settings of one database.
void read_postgres(const node& table, database& into, problems& found);
void read_mysql(const node& table, database& into, problems& found);
void read_sqlite(const node& table, database& into, problems& found);

// What contradicts itself in a pool.
inline constexpr std::string_view pool_max_alone = "pool.max is for pool.size = \"auto\"";
std::string pool_min_too_large(const pool_config& in);

// A secret given as KEY or in the file that KEY_file names; not both. Empty when neither is there
// or it cannot be read. One newline at the end of the file is not part of it.
secret read_secret(const node& table, const std::string& key, problems& found);
std::string read_small_file(const node& name, std::string_view key, problems& found);
// Text that is there, or "" with an error when it is something else.
std::string text_of(const member& entry, problems& found);
bool readable(const std::string& file) noexcept;

}  // namespace sluice::gateway
