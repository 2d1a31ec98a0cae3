// gateway/translate/my_rows.hpp: SQLite's rows as MySQL's packets, text or binary.
//
//   column count, column definitions, [EOF], rows       what ends them is the conversation's
//
// Layer: gateway. Threads and bounds: row_stream.hpp.
#pragma once

#include <string>
#include <vector>

#include "gateway/translate/result_types.hpp"
#include "gateway/translate/row_stream.hpp"
#include "proto/mysql/messages.hpp"
#include "proto/mysql/values.hpp"

namespace sluice::gateway {

// What is known of a statement's columns before its first row.
struct my_hints {
    std::vector<std::string> names;  // empty, or one for each column
    std::vector<bool> never_null;    // empty, or one for each column
    column_hints types;              // by the look of the text
};

struct my_column {
    mysql::value_shape shape;
    bool known = false;
    std::uint16_t flags = 0;
};

// Declarations, then the text; the rest stays unknown.
std::vector<my_column> my_columns(const sqlite::statement_info& info, const my_hints& hints);
void append_my_columns(byte_queue& out,
                       std::uint8_t& sequence,
                       const std::vector<my_column>& columns,
                       const sqlite::statement_info& info,
                       const my_hints& hints,
                       const std::string& database);

class my_rows final : public row_stream {
public:
    struct wire {
        mysql::row_format format = mysql::row_format::text;
        std::uint32_t capabilities = 0;
        std::uint16_t status = 0;  // of the EOF behind the columns
        std::string database;
    };
    my_rows(std::shared_ptr<const my_hints> hints, wire how);

    // Of the next packet; a row changes it.
    std::uint8_t sequence = 1;

    // A cursor: the first row tells the types and waits for COM_STMT_FETCH.
    void hold_first_row() { holding_ = true; }
    bool has_held_row() const noexcept { return waiting_; }
    byte_queue take_held_row();

    bool announced() const noexcept { return announced_; }
    // After an operation: what is left, with the columns of an empty result if there are none yet.
    byte_queue take_rest(const sqlite::statement_info* info);

    verdict on_row(const sqlite::row_view& row) override;
    bool can_rewind() const noexcept override { return nothing_sent(); }
    void hold(bool on) override;
    void rewind() override;

private:
    struct mark {
        bool announced = false;
        bool holding = false;
        std::uint8_t sequence = 0;
    };
    void announce(const sqlite::statement_info& info, const sqlite::row_view* row);
    bool encode(const sqlite::row_view& row);
    bool encode_text(const sqlite::row_view& row, mysql::packet_writer& packet);
    bool encode_binary(const sqlite::row_view& row, mysql::packet_writer& packet);
    bool refuse(const sqlite::row_view& row, std::size_t column, mysql::conversion why);

    std::shared_ptr<const my_hints> hints_;
    wire how_;
    std::vector<my_column> columns_;
    bool announced_ = false;
    bool holding_ = false;
    bool waiting_ = false;
    byte_queue held_row_;  // its payload
    mark before_;
};

}  // namespace sluice::gateway
