// tests/unit/gateway_translate/fake_client.hpp: a PostgreSQL client without a socket: says messages
// to a lane on a real SQLite file and collects what it answers.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <asio/io_context.hpp>
#include <gtest/gtest.h>

#include "gateway/translate/translate_lane.hpp"
#include "proto/core/reader.hpp"
#include "proto/pg/frame.hpp"
#include "proto/pg/message_writer.hpp"

namespace sluice::gateway {

// A database in a folder of its own, gone with the object.
class scratch_database {
public:
    explicit scratch_database(sqlite::options with = {})
    {
        char pattern[] = "/tmp/sluice-translate-XXXXXX";
        if (!mkdtemp(pattern))
            throw std::runtime_error("mkdtemp");
        folder_ = pattern;
        with.path = folder_ + "/test.db";
        with.readers = 2;
        sqlite::sql_error why;
        database_ = sqlite::database::open(with, why);
        if (!database_)
            throw std::runtime_error(why.message);
    }
    ~scratch_database()
    {
        database_.reset();
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    std::shared_ptr<sqlite::database> get() const { return database_; }

private:
    std::string folder_;
    std::shared_ptr<sqlite::database> database_;
};

struct reply {
    char type = 0;
    std::string body;
};

class fake_client final : public client_channel {
public:
    explicit fake_client(std::shared_ptr<sqlite::database> on,
                         std::vector<std::pair<std::string, std::string>> parameters = {},
                         translate_options with = {})
    {
        who_.user = "alice";
        who_.database = "notes";
        who_.parameters = std::move(parameters);
        who_.pid = 4711;
        who_.cancel_key = 0x01020304;
        lane_ = std::make_unique<translate_lane>(*this, std::move(on), with);
        lane_->start();
        greeting = take();
    }
    ~fake_client() override
    {
        leave();
        // Operations of the engine may still be on their way: they count as the loop's work.
        io_.restart();
        io_.run_for(std::chrono::seconds(30));
    }

    void leave()
    {
        if (lane_)
            lane_->on_client_gone();
        lane_.reset();
    }

    // What was added to `pending` goes to the lane; answers until `count` ReadyForQuery, a close
    // or half a minute.
    std::vector<reply> talk(int count = 1)
    {
        deliver();
        run_until([&] { return closed || ready_count() >= count; });
        return take();
    }
    std::vector<reply> query(std::string_view text)
    {
        pg::message_writer(pending, 'Q').cstring(text);
        return talk();
    }
    void deliver()
    {
        byte_queue bytes;
        bytes.swap(pending);
        lane_->on_data(bytes.readable());
    }
    void run_until(const std::function<bool()>& done)
    {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (!done()) {
            if (std::chrono::steady_clock::now() > deadline) {
                ADD_FAILURE() << "no answer within 30 s";
                return;
            }
            io_.restart();
            io_.run_for(std::chrono::milliseconds(1));
        }
    }

    void parse(std::string_view name, std::string_view text, std::vector<std::uint32_t> types = {})
    {
        pg::message_writer message(pending, 'P');
        message.cstring(name);
        message.cstring(text);
        message.u16(static_cast<std::uint16_t>(types.size()));
        for (const auto type : types)
            message.u32(type);
    }
    // Parameters in text; nullptr is NULL.
    void bind(std::string_view portal,
              std::string_view statement,
              std::vector<const char*> parameters = {},
              std::vector<std::uint16_t> formats = {})
    {
        pg::message_writer message(pending, 'B');
        message.cstring(portal);
        message.cstring(statement);
        message.u16(0);
        message.u16(static_cast<std::uint16_t>(parameters.size()));
        for (const char* each : parameters) {
            const std::string_view text = each ? each : "";
            message.u32(each ? static_cast<std::uint32_t>(text.size()) : 0xffffffff);
            message.bytes(as_bytes(text));
        }
        message.u16(static_cast<std::uint16_t>(formats.size()));
        for (const auto format : formats)
            message.u16(format);
    }
    void named(char type, char what, std::string_view name)
    {
        pg::message_writer message(pending, type);
        message.u8(what);
        message.cstring(name);
    }
    void execute(std::string_view portal, std::uint32_t max_rows = 0)
    {
        pg::message_writer message(pending, 'E');
        message.cstring(portal);
        message.u32(max_rows);
    }
    void bare(char type) { pg::message_writer message(pending, type); }
    void data(char type, std::string_view bytes)
    {
        pg::message_writer(pending, type).bytes(as_bytes(bytes));
    }

    // client_channel
    asio::io_context& io() noexcept override { return io_; }
    std::size_t worker() const noexcept override { return 0; }
    byte_queue& out() noexcept override { return out_; }
    void flush() override
    {
        if (stalled)
            return;
        taken_.append(out_.readable());
        out_.clear();
    }
    void send(bytes_view bytes) override
    {
        out_.append(bytes);
        flush();
    }
    std::size_t unsent() const noexcept override { return out_.size(); }
    void set_reading(bool on) override { reading = on; }
    void close(std::string_view reason) override
    {
        flush();
        closed = true;
        close_reason = reason;
    }
    const client_identity& identity() const noexcept override { return who_; }
    void set_pid(std::uint32_t) override {}
    void forget_parameters() noexcept override {}

    std::vector<reply> take()
    {
        std::vector<reply> replies;
        while (true) {
            const auto found = pg::next_frame(taken_.readable(), std::size_t{1} << 30);
            if (!found || found->missing > 0)
                break;
            replies.push_back({found->message.type, std::string(as_text(found->message.body))});
            taken_.consume(found->message.wire_size());
        }
        return replies;
    }
    std::size_t taken() const noexcept { return taken_.size(); }
    translate_lane& lane() { return *lane_; }

    byte_queue pending;
    std::vector<reply> greeting;
    bool stalled = false;
    bool reading = true;
    bool closed = false;
    std::string close_reason;

private:
    int ready_count() const
    {
        int count = 0;
        auto rest = taken_.readable();
        while (true) {
            const auto found = pg::next_frame(rest, std::size_t{1} << 30);
            if (!found || found->missing > 0)
                return count;
            count += found->message.type == 'Z' ? 1 : 0;
            rest = rest.subspan(found->message.wire_size());
        }
    }

    asio::io_context io_{1};
    client_identity who_;
    byte_queue out_;
    byte_queue taken_;
    std::unique_ptr<translate_lane> lane_;
};

// "T(id:20,name:25) D(1,a) C(SELECT 1) Z(I)": replies in a form that can be compared.
inline std::string show(const std::vector<reply>& replies)
{
    std::string out;
    for (const auto& each : replies) {
        reader in(as_bytes(each.body));
        out += out.empty() ? "" : " ";
        out += each.type;
        std::string inside;
        const auto add = [&inside](std::string_view text) {
            inside += (inside.empty() ? "" : ",") + std::string(text);
        };
        if (each.type == 'T') {
            for (int left = in.be<std::uint16_t>(); left > 0; --left) {
                const auto name = std::string(in.cstring());
                in.take(6);
                const auto type = in.be<std::uint32_t>();
                in.take(8);
                add(name + ":" + std::to_string(type));
            }
        } else if (each.type == 'D') {
            for (int left = in.be<std::uint16_t>(); left > 0; --left) {
                const auto length = in.be<std::uint32_t>();
                add(length == 0xffffffff ? "NULL" : as_text(in.take(length)));
            }
        } else if (each.type == 't') {
            for (int left = in.be<std::uint16_t>(); left > 0; --left)
                add(std::to_string(in.be<std::uint32_t>()));
        } else if (each.type == 'E' || each.type == 'N') {
            std::string_view code;
            std::string_view message;
            std::string_view position;
            while (!in.rest().empty() && in.rest()[0] != std::byte{0}) {
                const auto field = static_cast<char>(in.be<std::uint8_t>());
                const auto text = in.cstring();
                if (field == 'C')
                    code = text;
                if (field == 'M')
                    message = text;
                if (field == 'P')
                    position = text;
            }
            add(code);
            if (!position.empty())
                add("@" + std::string(position));
            if (out.size() < 2000 && each.type == 'E' && std::getenv("SHOW_MESSAGES"))
                add(message);
        } else if (each.type == 'C') {
            add(in.cstring());
        } else if (each.type == 'Z') {
            add(each.body);
        } else if (each.type == 'd') {
            add(each.body);
        }
        if (!inside.empty() || each.type == 'T' || each.type == 'D')
            out += "(" + inside + ")";
    }
    return out;
}

}  // namespace sluice::gateway
