// proto/sql/mysql_definitions.hpp: CREATE, ALTER, DROP and RENAME as SQLite has them.
//
//   `id` INT UNSIGNED NOT NULL AUTO_INCREMENT, PRIMARY KEY (`id`)   `id` INTEGER PRIMARY KEY
//                                                                   AUTOINCREMENT
//   INT(10) UNSIGNED                                                INT UNSIGNED(10)
//   ENUM('a', 'b')                                                  TEXT CHECK (c IN ('a', 'b'))
//   KEY `k` (`a`(10))                                               CREATE INDEX `t.k` ON t (`a`)
//   ENGINE=, CHARSET=, COMMENT, ON UPDATE CURRENT_TIMESTAMP         dropped, the last with a note
//
// A MySQL key's name is its table's own, SQLite's an index's in all of the file: a key is stored
// under `table.key`, and the catalogs take the table off again.
//
// Layer: proto. Each part is read from the tokens and written anew; what is not understood goes to
// SQLite as it is, whose error says what is wrong.
#pragma once

#include <span>

#include "proto/sql/mysql_to_sqlite.hpp"

namespace sluice::sql {

bool is_mysql_definition(std::span<const token> tokens) noexcept;

// `tokens`: of `statement`, with the end.
mysql_statement mysql_definition(std::string_view statement,
                                 std::span<const token> tokens,
                                 const mysql_session& session);

}  // namespace sluice::sql
