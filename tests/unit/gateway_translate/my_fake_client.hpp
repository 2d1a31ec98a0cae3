// tests/unit/gateway_translate/my_fake_client.hpp: a MySQL client without a socket: says commands
// to a lane on a real SQLite file and shows what it answers.
#pragma once

#include "gateway/translate/my_conversation.hpp"
#include "unit/gateway_translate/fake_client.hpp"

namespace sluice::gateway {

class my_fake_client final : public client_channel {
public:
    static constexpr std::uint32_t usual =
        mysql::capability::protocol_41 | mysql::capability::multi_statements |
        mysql::capability::multi_results | mysql::capability::plugin_auth;

    explicit my_fake_client(std::shared_ptr<sqlite::database> on,
                            std::uint32_t capabilities = usual,
                            translate_options with = {})
        : capabilities_(capabilities)
    {
        who_.user = "alice";
        who_.database = "notes";
        who_.peer = "127.0.0.1:5";
        who_.pid = 4711;
        who_.mysql = std::make_unique<my_client>();
        who_.mysql->capabilities = capabilities;
        who_.mysql->sequence = 2;
        auto talk = std::make_shared<my_conversation>(*this, *on, with, "8.0.36-test");
        lane_ = std::make_unique<translate_lane>(std::move(on), std::move(talk));
        lane_->start();
        greeting = as_text(taken_.readable());
        taken_.clear();
    }
    ~my_fake_client() override
    {
        leave();
        settle();
    }
    void leave()
    {
        if (lane_)
            lane_->on_client_gone();
        lane_.reset();
    }

    // One command; what is answered until the lane waits for the client, one word per packet.
    std::string command(mysql::command what, std::string_view body)
    {
        std::string payload(1, static_cast<char>(what));
        payload += body;
        return raw(payload);
    }
    std::string query(std::string_view text) { return command(mysql::command::query, text); }
    std::string raw(std::string_view payload, std::uint8_t sequence = 0)
    {
        byte_queue bytes;
        mysql::append_message(bytes, as_bytes(payload), sequence);
        return bytes_in(bytes.readable());
    }
    std::string bytes_in(bytes_view bytes)
    {
        lane_->on_data(bytes);
        settle();
        return show(std::exchange(taken_, byte_queue()));
    }
    // What the engine has been asked counts as the loop's work: without any, all is answered.
    void settle()
    {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        io_.restart();
        io_.run_until(deadline);
        EXPECT_LT(std::chrono::steady_clock::now(), deadline) << "no end within 30 s";
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
    void set_reading(bool) override {}
    void close(std::string_view) override
    {
        flush();
        closed = true;
    }
    const client_identity& identity() const noexcept override { return who_; }
    void set_pid(std::uint32_t) override {}
    void forget_parameters() noexcept override {}
    void kill(std::uint32_t id, kill_scope, std::function<void(kill_outcome)> done) override
    {
        asio::post(io_, [id, done = std::move(done)] {
            done(id == 5 ? kill_outcome::done : kill_outcome::unknown_id);
        });
    }
    translate_lane& lane() { return *lane_; }

    std::string greeting;
    bool stalled = false;
    bool closed = false;

private:
    // OK(affected,id,status) ERR(number) EOF(status), column definitions as name:type, rows as
    // their bytes. Every packet's number has to follow the one before.
    std::string show(byte_queue answer) const
    {
        std::string out;
        std::size_t columns = 0;
        std::uint8_t expected = 1;
        bool in_rows = false;
        auto rest = answer.readable();
        while (!rest.empty()) {
            const auto one = mysql::peek_packet(rest);
            rest = rest.subspan(one.wire_size());
            if (one.header.sequence != expected++)
                out += " !" + std::to_string(one.header.sequence);
            out += out.empty() ? "" : " ";
            const auto first = one.payload.empty() ? 1 : std::to_integer<int>(one.payload[0]);
            if (first == 0xff) {
                const auto error = mysql::parse_err(one.payload);
                out += "ERR(" + std::to_string(error->number) + ")";
                in_rows = false;
            } else if (first == 0xfe && one.payload.size() < 9) {
                const bool ok = (capabilities_ & mysql::capability::deprecate_eof) != 0;
                const auto status = ok ? mysql::parse_ok(one.payload, capabilities_)->status
                                       : mysql::parse_eof(one.payload)->status;
                out += "EOF(" + std::to_string(status) + ")";
                in_rows = !in_rows && columns > 0 && !ok;
                columns = in_rows ? columns : 0;
            } else if (columns > 0 && !in_rows) {
                const auto column = mysql::parse_column(one.payload);
                out += std::string(column->name) + ":" +
                       std::to_string(static_cast<int>(column->type));
                if (--left_ == 0 && (capabilities_ & mysql::capability::deprecate_eof))
                    in_rows = true;
            } else if (in_rows) {
                out += "[";
                for (const auto c : as_text(one.payload))
                    out += c >= ' ' && c < 0x7f ? c : '.';
                out += "]";
            } else if (first == 0) {
                const auto ok = mysql::parse_ok(one.payload, capabilities_);
                out += ok ? "OK(" + std::to_string(ok->affected_rows) + "," +
                                std::to_string(ok->insert_id) + "," + std::to_string(ok->status) +
                                ")"
                          : "?";
            } else {
                left_ = columns = static_cast<std::size_t>(first);
                out += std::to_string(first);
            }
        }
        return out;
    }

    asio::io_context io_{1};
    client_identity who_;
    std::uint32_t capabilities_;
    mutable std::size_t left_ = 0;
    byte_queue out_;
    byte_queue taken_;
    std::unique_ptr<translate_lane> lane_;
};

}  // namespace sluice::gateway
