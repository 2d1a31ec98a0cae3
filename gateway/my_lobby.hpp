// gateway/my_lobby.hpp: the lane of a MySQL client that has not chosen a database yet, where more
// than one would do: it answers what needs none and waits for COM_INIT_DB or USE.
//
// Layer: gateway. Thread: the client's worker.
// Bounds: a packet longer than packet_max ends the connection.
#pragma once

#include <string>

#include "gateway/errors.hpp"
#include "gateway/lane.hpp"

namespace sluice::gateway {

struct context;

class my_lobby final : public lane {
public:
    my_lobby(context& shared, client_channel& channel) : shared_(shared), channel_(channel) {}

    void start() override;
    void on_data(bytes_view bytes) override;
    void on_drained() override {}
    void on_client_gone() override { gone_ = true; }
    void on_cancel(std::function<void()> done) override;
    bool quiescent() const noexcept override { return true; }
    void request_drain() override;

private:
    static constexpr std::size_t packet_max = 64 * 1024;

    void on_command(bytes_view packet, bytes_view payload, bytes_view behind);
    void on_query(std::string_view text, bytes_view behind);
    void on_kill(bytes_view payload);
    void enter(std::string_view database, bytes_view behind);
    void answer_ok();
    void answer(client_error code, std::string_view message, std::string_view hint = {});
    void list_databases();

    context& shared_;
    client_channel& channel_;
    byte_queue in_;
    bool gone_ = false;  // this lane has been left: nothing of it may be touched but its own
};

}  // namespace sluice::gateway
