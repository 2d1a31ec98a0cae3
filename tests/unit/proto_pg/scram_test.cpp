// tests/unit/proto_pg/scram_test.cpp: SCRAM-SHA-256 against RFC 7677's example, md5, base64.
#include "proto/pg/scram.hpp"

#include <gtest/gtest.h>

#include "proto/core/base64.hpp"
#include "proto/core/errc.hpp"
#include "proto/pg/md5.hpp"
#include "unit/proto_pg/scram_client.hpp"
#include "unit/proto_pg/wire.hpp"

namespace sluice::pg {
namespace {

using test::scram_client;

// RFC 7677 §3
constexpr const char* rfc_nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr const char* rfc_client_first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr const char* rfc_server_first =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
constexpr const char* rfc_client_final =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
constexpr const char* rfc_server_final = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

const std::string rfc_salt = *base64_decode("W22ZaJ0SNY7soEsUEjb6gQ==");

scram_server rfc_server()
{
    return scram_server({make_scram_verifier("pencil", rfc_salt, 4096)}, rfc_nonce, {});
}

TEST(PgScram, TheExampleOfTheRfc)
{
    auto server = rfc_server();
    const auto first = server.step(rfc_client_first);
    ASSERT_TRUE(first) << server.problem();
    EXPECT_EQ(*first, rfc_server_first);
    EXPECT_FALSE(server.done());
    const auto final = server.step(rfc_client_final);
    ASSERT_TRUE(final) << server.problem();
    EXPECT_EQ(*final, rfc_server_final);
    EXPECT_TRUE(server.done());
    EXPECT_EQ(server.step(rfc_client_final).error(), errc::bad_message);
}

TEST(PgScram, EveryPrefixOfAMessageFailsOrAsksForAProof)
{
    const std::string first = rfc_client_first;
    for (std::size_t size = 0; size < first.size(); ++size) {
        auto server = rfc_server();
        const auto answer = server.step(std::string(first, 0, size));
        // From the first byte of the nonce on it is a shorter nonce, which is legal.
        EXPECT_EQ(static_cast<bool>(answer), size > first.find("r=") + 2) << size;
    }
    const std::string final = rfc_client_final;
    for (std::size_t size = 0; size < final.size(); ++size) {
        auto server = rfc_server();
        ASSERT_TRUE(server.step(first));
        EXPECT_FALSE(server.step(std::string(final, 0, size))) << size;
        EXPECT_FALSE(server.done());
    }
}

TEST(PgScram, HostileFirstMessages)
{
    for (const char* message : {"",
                                "n",
                                "n,",
                                "n,a=admin,n=user,r=abc",
                                "x,,n=user,r=abc",
                                "n,,m=ext,n=user,r=abc",
                                "n,,r=abc",
                                "n,,n=user",
                                "n,,n=user,r=",
                                "n,,n=user,r=a b",
                                "n,,n=user,r=\x80",
                                "p=tls-server-end-point,,n=user,r=abc",
                                "p=tls-unique,,n=user,r=abc"}) {
        auto server = rfc_server();
        EXPECT_EQ(server.step(message).error(), errc::bad_message) << message;
        EXPECT_FALSE(server.problem().empty());
        // Nothing brings a failed exchange back.
        EXPECT_EQ(server.step(rfc_client_first).error(), errc::bad_message);
    }
    auto server = rfc_server();
    EXPECT_EQ(server.step("n,,n=,r=" + std::string(20000, 'x')).error(), errc::bad_message);
    auto zero = rfc_server();
    EXPECT_EQ(zero.step(std::string_view("n,,n=\0,r=abc", 12)).error(), errc::bad_message);
}

TEST(PgScram, HostileFinalMessages)
{
    const std::string nonce = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const std::string proof = ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    for (const auto& message : {std::string("c=biws," + nonce),
                                std::string("c=eSws," + nonce + proof),
                                std::string("c=," + nonce + proof),
                                std::string("c=biws,r=other" + proof),
                                std::string("c=biws" + proof),
                                std::string(nonce + proof),
                                std::string("c=biws," + nonce + ",p="),
                                std::string("c=biws," + nonce + ",p=AAAA"),
                                std::string("c=biws," + nonce + proof + "AAAA"),
                                std::string(",p=")}) {
        auto server = rfc_server();
        ASSERT_TRUE(server.step(rfc_client_first));
        EXPECT_EQ(server.step(message).error(), errc::bad_message) << message;
    }
}

TEST(PgScram, AWrongPasswordIsAFailedAuthenticationNotABadMessage)
{
    auto server = rfc_server();
    scram_client client("pencils");
    const auto first = server.step(client.first());
    ASSERT_TRUE(first);
    EXPECT_EQ(server.step(client.final(*first)).error(), errc::authentication_failed);
    EXPECT_FALSE(server.done());
}

TEST(PgScram, EachOfSeveralPasswordsWithOneSaltFits)
{
    const std::vector<scram_verifier> verifiers{make_scram_verifier("old", "salt", 8),
                                                make_scram_verifier("new", "salt", 8),
                                                make_scram_verifier("other", "pepper", 8)};
    const std::pair<const char*, bool> table[] = {
        {"old", true}, {"new", true}, {"other", false}, {"none", false}};
    for (const auto& [password, fits] : table) {
        scram_server server(verifiers, "nonce", {});
        scram_client client(password);
        const auto first = server.step(client.first());
        ASSERT_TRUE(first);
        const auto final = server.step(client.final(*first));
        EXPECT_EQ(static_cast<bool>(final), fits) << password;
        if (final) {
            EXPECT_TRUE(client.trusts(*final));
        }
    }
}

TEST(PgScram, ChannelBinding)
{
    struct scenario {
        const char* name;
        bool plus;
        const char* offered;
        std::string client_header;
        std::string client_data;
        bool fits;
    };
    const scenario table[] = {
        {"plus", true, "hash", "p=tls-server-end-point,,", "hash", true},
        {"another certificate", true, "hash", "p=tls-server-end-point,,", "other", false},
        {"plus with n", true, "hash", "n,,", "", false},
        {"y though offered: a downgrade", false, "hash", "y,,", "", false},
        {"n though offered", false, "hash", "n,,", "", true},
        {"y, not offered", false, "", "y,,", "", true},
    };
    for (const auto& entry : table) {
        scram_server server(
            {make_scram_verifier("secret", "salt", 8)}, "nonce", {entry.offered, entry.plus});
        scram_client client("secret", entry.client_header, entry.client_data);
        const auto first = server.step(client.first());
        const bool fits = first && server.step(client.final(*first));
        EXPECT_EQ(fits, entry.fits) << entry.name;
    }
}

TEST(PgScram, VerifiersAreReadAndWritten)
{
    const std::string text =
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
    EXPECT_EQ(format_scram_verifier(make_scram_verifier("pencil", rfc_salt, 4096)), text);
    const auto parsed = parse_scram_verifier(text);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(format_scram_verifier(*parsed), text);
    EXPECT_TRUE(matches_scram_verifier(*parsed, "pencil"));
    EXPECT_FALSE(matches_scram_verifier(*parsed, "Pencil"));

    for (std::size_t size = 0; size < text.size(); ++size)
        EXPECT_FALSE(parse_scram_verifier(std::string_view(text).substr(0, size))) << size;
    const auto replaced = [&](const char* from, const char* to) {
        auto copy = text;
        return copy.replace(copy.find(from), std::strlen(from), to);
    };
    EXPECT_FALSE(parse_scram_verifier(text + "A"));
    EXPECT_FALSE(parse_scram_verifier(replaced("4096", "0")));
    EXPECT_FALSE(parse_scram_verifier(replaced("4096", "-1")));
    EXPECT_FALSE(parse_scram_verifier(replaced("4096", "99999999")));
    EXPECT_FALSE(parse_scram_verifier(replaced("W22ZaJ0SNY7soEsUEjb6gQ==", "")));
    EXPECT_FALSE(parse_scram_verifier(replaced("256", "512")));
}

TEST(PgScram, AMockIsStableAndLooksLikeItsModel)
{
    const auto like = make_scram_verifier("x", "0123456789abcdef", 8);
    const auto mock = mock_scram_verifier("secret", "bob", like);
    EXPECT_EQ(mock.salt.size(), 16u);
    EXPECT_EQ(mock.iterations, 8u);
    EXPECT_EQ(mock.salt, mock_scram_verifier("secret", "bob", like).salt);
    EXPECT_NE(mock.salt, mock_scram_verifier("secret", "bobby", like).salt);
    EXPECT_NE(mock.salt, mock_scram_verifier("other", "bob", like).salt);
    EXPECT_EQ(derived_salt("secret", "bob", 100).size(), 100u);
    scram_server server({mock}, "nonce", {});
    scram_client client("x");
    const auto first = server.step(client.first());
    ASSERT_TRUE(first);
    EXPECT_EQ(server.step(client.final(*first)).error(), errc::authentication_failed);
}

TEST(PgMd5, VerifiersAndResponses)
{
    // select 'md5' || md5('secret' || 'alice')
    const auto verifier = make_md5_verifier("secret", "alice");
    EXPECT_TRUE(is_md5_verifier(verifier));
    EXPECT_EQ(verifier, "md54a0a68b43b6cd5cf266fa02f196e2371");
    const auto salt = test::wire("01020304");
    const auto response = md5_response(verifier, salt);
    EXPECT_TRUE(matches_md5_response(verifier, salt, response));
    EXPECT_FALSE(matches_md5_response(verifier, test::wire("01020305"), response));
    EXPECT_FALSE(matches_md5_response(verifier, salt, ""));
    EXPECT_FALSE(matches_md5_response("", salt, ""));
    EXPECT_TRUE(matches_md5_verifier(verifier, "secret", "alice"));
    EXPECT_FALSE(matches_md5_verifier(verifier, "secret", "bob"));
    EXPECT_TRUE(is_md5_verifier(mock_md5_verifier("s", "n")));
    EXPECT_FALSE(is_md5_verifier("md5"));
    EXPECT_FALSE(is_md5_verifier("md54A0A68B43B6CD5CF266FA02F196E2371"));
}

TEST(Base64, RoundTripsAndRefusesWhatItDidNotWrite)
{
    const std::pair<const char*, const char*> table[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foobar", "Zm9vYmFy"},
    };
    for (const auto& [plain, text] : table) {
        EXPECT_EQ(base64_encode(as_bytes(plain)), text);
        EXPECT_EQ(base64_decode(text), plain);
    }
    for (const char* text : {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "=", "====", "Zg==Zg==", "Zm9v\n"})
        EXPECT_FALSE(base64_decode(text)) << text;
}

}  // namespace
}  // namespace sluice::pg
