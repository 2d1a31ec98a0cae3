// gateway/translate/translate_lane.cpp: the lane of a client on a SQLite file.
#include "gateway/translate/translate_lane.hpp"

#include "gateway/translate/conversation.hpp"

namespace sluice::gateway {

translate_lane::translate_lane(std::shared_ptr<sqlite::database> on, std::shared_ptr<dialogue> talk)
    : database_(std::move(on)), talk_(std::move(talk))
{
}

translate_lane::translate_lane(client_channel& channel,
                               std::shared_ptr<sqlite::database> on,
                               translate_options with)
    : database_(std::move(on)), talk_(std::make_shared<conversation>(channel, *database_, with))
{
}

translate_lane::~translate_lane()
{
    talk_->gone();
}

// The engine's cancel hits the operation in progress or nothing, before it returns.
void translate_lane::on_cancel(std::function<void()> done)
{
    talk_->cancel();
    done();
}

}  // namespace sluice::gateway
