// gateway/translate/my_commands.hpp: PREPARE, EXECUTE and DEALLOCATE as statements; LOAD DATA
// LOCAL.
//
//   PREPARE name FROM 'text' | @variable
//   EXECUTE name [USING @variable, ...]
//   {DEALLOCATE | DROP} PREPARE name
//   LOAD DATA LOCAL INFILE 'file' [REPLACE | IGNORE] INTO TABLE t [CHARACTER SET c]
//     [{FIELDS | COLUMNS} [TERMINATED BY 's'] [[OPTIONALLY] ENCLOSED BY 'c'] [ESCAPED BY 'c']]
//     [LINES [STARTING BY 's'] [TERMINATED BY 's']] [IGNORE n {LINES | ROWS}] [(column, ...)]
//
// Layer: gateway. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/translate/my_state.hpp"

namespace sluice::gateway {

struct my_prepare {
    enum class verb { prepare, execute, deallocate };
    verb what = verb::prepare;
    std::string name;  // in lower case
    std::string text;
    std::string variable;  // "@x" that holds the text
    std::vector<std::string> arguments;
};

struct my_load {
    std::string file;
    std::string table;  // as written
    std::vector<std::string> columns;
    bool replace = false;
    std::string fields_end = "\t";
    char enclosed = 0;
    char escape = '\\';
    std::string lines_start;
    std::string lines_end = "\n";
    std::uint64_t ignored_lines = 0;
};

struct my_command {
    std::optional<my_prepare> prepare;
    std::optional<my_load> load;
    std::optional<my_error> problem;
};

// nullopt: none of these.
std::optional<my_command> read_my_command(std::string_view text, const my_state& session);

using my_fields = std::vector<std::optional<std::string>>;

// Takes one record off `data`. nullopt: more is needed, or none is left. `last`: no more comes.
std::optional<my_fields> next_loaded_record(std::string_view& data, const my_load& how, bool last);

}  // namespace sluice::gateway
