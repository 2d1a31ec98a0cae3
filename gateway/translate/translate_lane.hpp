// gateway/translate/translate_lane.hpp: the lane of a client whose database is a SQLite file.
//
// Layer: gateway. One loop thread. A shell around the dialogue, which may outlive it until the
// engine has answered.
#pragma once

#include <memory>

#include "gateway/translate/dialogue.hpp"

namespace sluice::gateway {

class translate_lane final : public lane {
public:
    // `talk` is on `on`.
    translate_lane(std::shared_ptr<sqlite::database> on, std::shared_ptr<dialogue> talk);
    // Of a PostgreSQL client.
    translate_lane(client_channel& channel,
                   std::shared_ptr<sqlite::database> on,
                   translate_options with);
    ~translate_lane() override;

    void start() override { talk_->start(); }
    void on_data(bytes_view bytes) override { talk_->take(bytes); }
    void on_drained() override { talk_->drained(); }
    void on_client_gone() override { talk_->gone(); }
    void on_cancel(std::function<void()> done) override;
    bool quiescent() const noexcept override { return talk_->quiescent(); }
    void describe(statistics::client_info& into) const override { talk_->describe(into); }
    void request_drain() override { talk_->request_drain(); }

private:
    std::shared_ptr<sqlite::database> database_;  // outlives every session on it
    std::shared_ptr<dialogue> talk_;
};

}  // namespace sluice::gateway
