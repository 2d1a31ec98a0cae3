// gateway/translate/conversation_copy_binary.cpp: COPY ... FROM STDIN (FORMAT binary).
//
//   signature:byte[11] flags:u32be size:u32be extension:byte[size]
//   tuple := count:i16be { length:i32be value:byte[length] }[count]     length -1: NULL
//   end   := -1:i16be
#include "gateway/translate/conversation.hpp"
#include "gateway/translate/copy_text.hpp"
#include "proto/core/reader.hpp"

namespace sluice::gateway {
namespace {

constexpr std::uint16_t end_of_data = 0xffff;
constexpr std::uint32_t null_length = 0xffffffff;
constexpr std::size_t signature_size = 11;

reply_error bad_file(std::string message)
{
    reply_error out;
    out.sqlstate = "22P04";
    out.message = std::move(message);
    return out;
}

// Drivers send numbers in the width they like best; a column here is the widest of its kind.
pg::type_oid type_as_sent(pg::type_oid column, std::size_t size) noexcept
{
    if (column == pg::oid::int8 && size == 4)
        return pg::oid::int4;
    if (column == pg::oid::int8 && size == 2)
        return pg::oid::int2;
    if (column == pg::oid::float8 && size == 4)
        return pg::oid::float4;
    return column;
}

// Takes the header off. False: it is not there yet, or `problem`.
bool take_header(bytes_view& data, reply_error& problem)
{
    const auto known = std::min(data.size(), signature_size);
    if (as_text(data.first(known)) != copy_binary_header.substr(0, known)) {
        problem = bad_file("COPY file signature not recognized");
        return false;
    }
    reader in(data);
    (void)in.take(signature_size);
    const auto flags = in.be<std::uint32_t>();
    const auto extension = in.be<std::uint32_t>();
    if (!in.failed() && (flags >> 16) != 0) {
        problem = bad_file("unrecognized critical flags in COPY file header");
        return false;
    }
    (void)in.take(extension);
    if (in.failed())
        return false;
    data = in.rest();
    return true;
}

}  // namespace

// `last`: nothing follows. False: an error was sent.
asio::awaitable<bool> conversation::copy_tuples(bool last)
{
    // Fields are views into this; copy_->data is not touched meanwhile.
    byte_queue kept;
    kept.swap(copy_->data);
    bytes_view data = kept.readable();
    const auto where = [this] {
        return ": COPY " + copy_->statement->copy.table + ", line " +
               std::to_string(copy_->rows + 1);
    };
    reply_error problem;
    if (!copy_->header_seen)
        copy_->header_seen = take_header(data, problem);
    while (copy_->header_seen && !copy_->ended && problem.sqlstate.empty() && !data.empty()) {
        reader in(data);
        const auto count = in.be<std::uint16_t>();
        if (!in.failed() && count == end_of_data) {
            copy_->ended = true;
            break;
        }
        if (!in.failed() && count != copy_->types.size()) {
            problem = bad_file("row field count is " + std::to_string(count) + ", expected " +
                               std::to_string(copy_->types.size()) + where());
            break;
        }
        std::vector<sqlite::value> values;
        for (std::size_t i = 0; i < count && !in.failed() && problem.sqlstate.empty(); ++i) {
            const auto size = in.be<std::uint32_t>();
            auto& value = values.emplace_back();
            if (size == null_length || in.failed())
                continue;
            if (size > options_.max_message) {
                problem = bad_file("invalid field size" + where());
                break;
            }
            const auto field = in.take(size);
            const auto type = type_as_sent(copy_->types[i], size);
            if (in.failed())
                break;
            const auto done = pg::read_value(field, type, pg::value_format::binary, value);
            if (done == pg::conversion::ok)
                continue;
            problem = bad_file("field " + std::to_string(i + 1) + " is no valid binary " +
                               std::string(pg::type_name(type)) + where());
            problem.sqlstate = pg::sqlstate_of(done, pg::value_format::binary);
        }
        if (in.failed())
            break;  // the rest of the row is still to come
        auto inserting = insert_copied(std::move(values), std::move(problem));
        const bool inserted = co_await std::move(inserting);
        if (!inserted || over() || !copy_)
            co_return false;
        problem = {};
        data = in.rest();
    }
    if (problem.sqlstate.empty() && last && !copy_->ended && !data.empty())
        problem = bad_file("unexpected EOF in COPY data" + where());
    if (!problem.sqlstate.empty()) {
        auto failing = fail(std::move(problem));
        co_await std::move(failing);
        co_return false;
    }
    if (!copy_->ended)
        copy_->data.append(data);
    co_return true;
}

}  // namespace sluice::gateway
