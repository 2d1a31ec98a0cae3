// gateway/translate/row_encoder.hpp: SQLite's rows as PostgreSQL's DataRow messages.
//
//   worker thread: row -> chunk ... chunk full -> deliver() -> posted to the loop -> socket
//
// Layer: gateway. Rows come on a worker thread while an operation runs; everything else happens on
// the loop while none does, except note_unsent() and the counters, which are atomic.
// Bounds: `in_flight_max` bytes that the client has not taken, and one row more; then it pauses.
#pragma once

#include <atomic>
#include <functional>
#include <vector>

#include "drivers/sqlite/requests.hpp"
#include "gateway/translate/result_types.hpp"
#include "proto/core/byte_queue.hpp"
#include "proto/pg/oids.hpp"
#include "proto/pg/values.hpp"

namespace sluice::gateway {

inline constexpr std::size_t chunk_size = 32 * 1024;
inline constexpr std::size_t in_flight_max = 1024 * 1024;

// How rows are dressed: as DataRow of the protocol, or as COPY's lines.
enum class row_shape { data_row, copy_text, copy_csv };

struct copy_style {
    char delimiter = '\t';
    char quote = '"';
    std::string null = "\\N";
    bool header = false;
};

class row_encoder final : public sqlite::row_sink {
public:
    // Called on the worker thread; hands the bytes to the loop, which calls note_arrived().
    using deliver_function = std::function<void(byte_queue chunk)>;

    // What the statement's text says about types (read_column_hints), and the result formats of
    // Bind.
    row_encoder(column_hints hints, std::vector<std::uint16_t> formats, deliver_function deliver);

    void set_copy(row_shape shape, copy_style style);

    // Before execution: the types were told to the client already. Else the first row completes
    // them and RowDescription is written in front of it.
    void announced(std::vector<pg::type_oid> types);
    bool has_announced() const noexcept { return announced_; }

    // After an operation: what is left, with the RowDescription of an empty result if none was
    // written yet.
    byte_queue take_rest(const sqlite::statement_info* info);

    void note_arrived(std::size_t bytes, std::size_t unsent) noexcept;
    void note_unsent(std::size_t unsent) noexcept { unsent_ = unsent; }

    void on_columns(const sqlite::statement_info& info) override;
    verdict on_row(const sqlite::row_view& row) override;
    sqlite::sql_error failure() override { return failure_; }

private:
    std::uint16_t format_of(std::size_t column) const noexcept;
    void complete_types(const sqlite::statement_info& info, const sqlite::row_view* row);
    void announce(const sqlite::statement_info& info);
    bool encode(const sqlite::row_view& row);
    bool encode_copy(const sqlite::row_view& row);
    void fail(const sqlite::row_view& row, int column, pg::conversion why);

    column_hints hints_;
    std::vector<std::uint16_t> formats_;
    deliver_function deliver_;
    row_shape shape_ = row_shape::data_row;
    copy_style style_;
    std::vector<pg::type_oid> types_;
    const sqlite::statement_info* info_ = nullptr;  // of the operation in progress
    bool announced_ = false;
    byte_queue chunk_;
    sqlite::sql_error failure_;
    std::atomic<std::size_t> posted_{0};
    std::atomic<std::size_t> unsent_{0};
};

}  // namespace sluice::gateway
