// tests/unit/gateway_auth/mysql_users_test.cpp: what MySQL clients are checked with.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "gateway/auth/my_verifiers.hpp"
#include "gateway/auth/password_command.hpp"
#include "gateway/auth/rsa_keys.hpp"
#include "gateway/auth/user_store.hpp"
#include "proto/pg/md5.hpp"

namespace sluice::gateway {
namespace {

const std::string scram_of_secret =
    pg::format_scram_verifier(pg::make_scram_verifier("secret", "0123456789abcdef", 4096));
const std::string sha2_of_secret = format_sha2_verifier(mysql::sha2_stage2("secret"));
const std::string native_of_secret = mysql::format_native_verifier(mysql::native_stage2("secret"));

user_store store_of(const std::vector<std::pair<std::string, std::vector<std::string>>>& users)
{
    std::map<std::string, user> all;
    for (const auto& [name, passwords] : users) {
        user one;
        one.name = name;
        for (const auto& password : passwords)
            one.passwords.emplace_back(password);
        all.emplace(name, one);
    }
    user_store made(all, auth_method::scram_sha_256, std::string(32, 's'));
    made.prepare();
    return made;
}

TEST(MysqlVerifiers, AreReadWholeOrNotAtAll)
{
    EXPECT_EQ(sha2_of_secret.size(), 5 + 64u);
    EXPECT_EQ(parse_sha2_verifier(sha2_of_secret), mysql::sha2_stage2("secret"));
    for (const auto& wrong : {std::string(),
                              std::string("SHA2$"),
                              sha2_of_secret + "0",
                              sha2_of_secret.substr(0, 68),
                              sha2_of_secret.substr(0, 68) + "g",
                              "sha2$" + sha2_of_secret.substr(5)})
        EXPECT_FALSE(parse_sha2_verifier(wrong)) << wrong;
    EXPECT_FALSE(password_problem("SHA2$damaged").empty());
    EXPECT_TRUE(password_problem(sha2_of_secret).empty());
    EXPECT_TRUE(password_problem("*a password may begin so").empty());
}

TEST(MysqlUsers, EachKindOfPasswordGivesWhatItCan)
{
    const auto store = store_of({{"plain", {"secret"}},
                                 {"scram", {scram_of_secret}},
                                 {"sha2", {sha2_of_secret}},
                                 {"native", {native_of_secret}},
                                 {"all", {scram_of_secret, sha2_of_secret, native_of_secret}}});
    EXPECT_TRUE(store.warnings().empty()) << store.warnings().front();
    struct expectation {
        const char* name;
        std::size_t native;
        std::size_t sha2;
        bool other;
    };
    for (const auto& [name, native, sha2, other] : {expectation{"plain", 1, 1, false},
                                                    expectation{"scram", 0, 0, true},
                                                    expectation{"sha2", 0, 1, false},
                                                    expectation{"native", 1, 0, false},
                                                    expectation{"all", 1, 1, true}}) {
        const auto known = store.mysql_credentials_for(name);
        EXPECT_TRUE(known.known) << name;
        EXPECT_EQ(known.native.size(), native) << name;
        EXPECT_EQ(known.sha2.size(), sha2) << name;
        EXPECT_EQ(known.other, other) << name;
        EXPECT_EQ(mysql::password_matches(known, "secret"), native + sha2 > 0) << name;
        EXPECT_FALSE(mysql::password_matches(known, "Secret")) << name;
    }
    // What only has verifiers of MySQL cannot log in to PostgreSQL, and looks like a stranger.
    EXPECT_EQ(store.credentials_for("sha2").scram.size(), 1u);
    EXPECT_FALSE(pg::password_matches(store.credentials_for("sha2"), "sha2", "secret"));
    EXPECT_TRUE(pg::password_matches(store.credentials_for("scram"), "scram", "secret"));
}

TEST(MysqlUsers, StrangersLookLikeMostUsers)
{
    const auto plain = store_of({{"a", {"x"}}, {"b", {"y"}}, {"c", {scram_of_secret}}});
    const auto mock = plain.mysql_credentials_for("nobody");
    EXPECT_FALSE(mock.known);
    EXPECT_EQ(mock.native.size(), 1u);
    EXPECT_EQ(mock.sha2.size(), 1u);
    EXPECT_FALSE(mock.other);
    EXPECT_FALSE(mysql::password_matches(mock, ""));
    EXPECT_EQ(mock.sha2, plain.mysql_credentials_for("nobody").sha2);
    EXPECT_NE(mock.sha2, plain.mysql_credentials_for("somebody").sha2);

    const auto scram = store_of({{"a", {scram_of_secret}}, {"b", {scram_of_secret}}});
    const auto other = scram.mysql_credentials_for("nobody");
    EXPECT_TRUE(other.native.empty());
    EXPECT_TRUE(other.sha2.empty());
    EXPECT_TRUE(other.other);
}

TEST(MysqlUsers, ThePasswordCommandPrintsTheirVerifiersAndTakesNoneForAPassword)
{
    const auto run = [](const std::string& input) {
        std::istringstream in(input);
        std::ostringstream out;
        std::ostringstream err;
        const int code = run_password_command("alice", {in, out, err}, false);
        return std::pair(code, out.str());
    };
    const auto [code, said] = run("secret\n");
    EXPECT_EQ(code, 0);
    EXPECT_NE(said.find('"' + sha2_of_secret + '"'), std::string::npos) << said;
    EXPECT_NE(said.find('"' + native_of_secret + '"'), std::string::npos) << said;
    for (const auto& verifier : {sha2_of_secret, native_of_secret, std::string("SHA2$damaged")})
        EXPECT_EQ(run(verifier).first, 1) << verifier;
}

class RsaKeys : public ::testing::Test {
protected:
    RsaKeys()
    {
        char pattern[] = "/tmp/sluice-rsa-XXXXXX";
        folder_ = mkdtemp(pattern);
    }
    ~RsaKeys() override { std::filesystem::remove_all(folder_); }

    std::string file(const std::string& text)
    {
        std::ofstream(folder_ + "/key.pem") << text;
        return folder_ + "/key.pem";
    }
    std::string written(EVP_PKEY* key)
    {
        const auto name = folder_ + "/key.pem";
        std::FILE* out = std::fopen(name.c_str(), "w");
        PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
        std::fclose(out);
        EVP_PKEY_free(key);
        return name;
    }

    std::string folder_;
    rsa_keys keys_;
};

TEST_F(RsaKeys, AMadeKeyOpensWhatWasSealedForIt)
{
    EXPECT_FALSE(keys_.get());
    EXPECT_EQ(keys_.generate(), "");
    const auto key = keys_.get();
    ASSERT_TRUE(key);
    EXPECT_EQ(EVP_PKEY_get_bits(key.get()), 2048);
    const auto nonce = as_bytes("01234567890123456789");
    const auto seen = mysql::parse_rsa_public_pem(mysql::rsa_public_pem(*key));
    const auto sealed = mysql::rsa_encrypt_password(*seen, "secret", nonce);
    EXPECT_EQ(mysql::rsa_decrypt_password(*key, sealed, nonce), "secret");
}

TEST_F(RsaKeys, FilesThatHoldNoSuitableKeyAreNamed)
{
    const auto good = written(EVP_RSA_gen(2048));
    EXPECT_EQ(keys_.load(good), "");
    EXPECT_TRUE(keys_.get());
    EXPECT_NE(keys_.load(folder_ + "/none").find("No such file"), std::string::npos);
    EXPECT_NE(keys_.load(file("")).find("holds no RSA private key"), std::string::npos);
    EXPECT_NE(keys_.load(file("-----BEGIN PRIVATE KEY-----\nx\n")).find("no RSA private key"),
              std::string::npos);
    EXPECT_NE(keys_.load(written(EVP_EC_gen("P-256"))).find("no RSA private key"),
              std::string::npos);
    EXPECT_NE(keys_.load(written(EVP_RSA_gen(1024))).find("1024 bits"), std::string::npos);
    EXPECT_TRUE(keys_.get()) << "the good one stays";
}

}  // namespace
}  // namespace sluice::gateway
