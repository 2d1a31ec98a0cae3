// gateway/translate/row_encoder.hpp: SQLite's rows as PostgreSQL's DataRow messages.
//
// Layer: gateway. Threads and bounds: row_stream.hpp.
#pragma once

#include <vector>

#include "gateway/translate/result_types.hpp"
#include "gateway/translate/row_stream.hpp"
#include "proto/pg/oids.hpp"

namespace sluice::gateway {

// How rows are dressed: as DataRow of the protocol, or as COPY's lines.
enum class row_shape { data_row, copy_text, copy_csv, copy_binary };

struct copy_style {
    char delimiter = '\t';
    char quote = '"';
    std::string null = "\\N";
    bool header = false;
};

class row_encoder final : public row_stream {
public:
    // What the statement's text says about types (read_column_hints), and the result formats of
    // Bind.
    row_encoder(std::shared_ptr<const column_hints> hints, std::vector<std::uint16_t> formats);
    // The same for another result; only while is_idle().
    void begin_anew(std::shared_ptr<const column_hints> hints, std::vector<std::uint16_t> formats);
    bool is_idle() const noexcept { return nothing_sent(); }

    void set_copy(row_shape shape, copy_style style);

    // Before execution: the types were told to the client already. Else the first row completes
    // them and RowDescription is written in front of it.
    void announced(std::vector<pg::type_oid> types);
    bool has_announced() const noexcept { return announced_; }
    // The rows to come are a result of their own, of the same types as those before (FETCH).
    void dress(std::vector<std::uint16_t> formats, bool announced);
    // Rows are passed over (MOVE).
    void skip(bool on) noexcept { skips_ = on; }

    // After an operation: what is left, with the RowDescription of an empty result if none was
    // written yet.
    byte_queue take_rest(const sqlite::statement_info* info);

    // Behind the last row of a binary COPY.
    byte_queue copy_binary_end() const;

    void on_columns(const sqlite::statement_info& info) override;
    verdict on_row(const sqlite::row_view& row) override;
    bool can_rewind() const noexcept override { return nothing_sent(); }
    void hold(bool on) override;
    void rewind() override;

private:
    std::uint16_t format_of(std::size_t column) const noexcept;
    void complete_types(const sqlite::statement_info& info, const sqlite::row_view* row);
    void announce(const sqlite::statement_info& info);
    void look_at_scales();
    int scale_of(std::size_t column) const noexcept;
    bool encode(const sqlite::row_view& row);
    bool encode_copy(const sqlite::row_view& row);
    bool encode_copy_binary(const sqlite::row_view& row);
    void fail(const sqlite::row_view& row, int column, pg::conversion why);

    std::shared_ptr<const column_hints> hints_;
    std::vector<std::uint16_t> formats_;
    row_shape shape_ = row_shape::data_row;
    copy_style style_;
    std::vector<pg::type_oid> types_;
    std::vector<int> scales_;  // of numerics; empty: none is declared, or not looked at yet
    bool scales_known_ = false;
    bool announced_ = false;
    bool skips_ = false;
    bool copy_begun_ = false;        // binary: the header was sent
    bool announced_before_ = false;  // hold()
};

}  // namespace sluice::gateway
