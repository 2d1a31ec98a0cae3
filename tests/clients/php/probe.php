<?php
// php/probe.php: PDO (prepared by the server, and emulated) and mysqli, one check per line.
declare(strict_types=1);

function expect(mixed $got, mixed $wanted): void
{
    if ($got != $wanted)
        throw new Exception('got ' . var_export($got, true) . ', expected ' . var_export($wanted, true));
}

$sqlite = getenv('MY_TARGET') === 'my-sqlite';
$dsn = 'mysql:host=' . getenv('MY_HOST') . ';port=' . getenv('MY_PORT') . ';dbname='
    . getenv('MY_DATABASE') . ';charset=utf8mb4';

function connect(bool $emulated, array $options = []): PDO
{
    global $dsn;
    return new PDO($dsn, getenv('MY_USER'), getenv('MY_PASSWORD'), $options + [
        PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_EMULATE_PREPARES => $emulated,
        PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_NUM]);
}

foreach ([false, true] as $emulated) {
    $table = 'php_pdo_' . ($emulated ? 'emulated' : 'prepared');
    $pdo = connect($emulated);
    $pdo->exec("DROP TABLE IF EXISTS $table");
    $pdo->exec("CREATE TABLE $table (id INTEGER PRIMARY KEY, name TEXT, amount INTEGER)");
    $insert = $pdo->prepare("INSERT INTO $table VALUES (?, ?, ?)");
    for ($n = 0; $n < 100; ++$n)
        $insert->execute([$n, "row ü $n", $n % 2 ? null : $n]);
    expect($insert->rowCount(), 1);
    $select = $pdo->prepare("SELECT name, amount FROM $table WHERE id = :id");
    for ($n = 0; $n < 100; ++$n) {
        $select->execute(['id' => $n]);
        expect($select->fetchAll(), [["row ü $n", $n % 2 ? null : $n]]);
    }
    expect($pdo->query("SELECT count(*) FROM $table")->fetchColumn(), 100);

    $pdo->beginTransaction();
    $pdo->exec("DELETE FROM $table");
    $pdo->rollBack();
    $pdo->beginTransaction();
    $pdo->exec("DELETE FROM $table WHERE id >= 50");
    $pdo->commit();
    expect($pdo->query("SELECT count(*) FROM $table")->fetchColumn(), 50);

    try {
        $insert->execute([1, 'double', 1]);
        throw new Exception('a double key was accepted');
    } catch (PDOException $error) {
        expect($error->errorInfo[0], '23000');
        expect($error->errorInfo[1], 1062);
    }

    $streaming = connect($emulated, [PDO::MYSQL_ATTR_USE_BUFFERED_QUERY => false]);
    $rows = $streaming->query("SELECT id FROM $table ORDER BY id");
    expect($rows->fetch(), [0]);
    $rows->closeCursor();
    expect($streaming->query('SELECT 1')->fetchAll(), [[1]]);
    echo $emulated ? "ok emulated\n" : "ok prepared\n";
}

mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
$db = new mysqli(getenv('MY_HOST'), getenv('MY_USER'), getenv('MY_PASSWORD'),
    getenv('MY_DATABASE'), (int)getenv('MY_PORT'));
$db->set_charset('utf8mb4');
$statement = $db->prepare('SELECT id, name FROM php_pdo_prepared WHERE id > ? ORDER BY id');
$limit = 40;
$statement->bind_param('i', $limit);
$statement->execute();
expect($statement->get_result()->fetch_all(), array_map(fn($n) => [$n, "row ü $n"], range(41, 49)));
$statement->close();
if (!$sqlite) {
    $db->multi_query('SELECT 1; SELECT 2');
    $found = [];
    do {
        $found[] = $db->store_result()->fetch_row()[0];
    } while ($db->next_result());
    expect($found, [1, 2]);
    $db->query('SET @mine = 1');
    $db->change_user(getenv('MY_USER'), getenv('MY_PASSWORD'), getenv('MY_DATABASE'));
    expect($db->query('SELECT @mine')->fetch_row(), [null]);
    $db->query('CREATE TEMPORARY TABLE mine AS SELECT 7 AS n');
    expect($db->query('SELECT n FROM mine')->fetch_row(), [7]);
}
$db->close();
echo "ok mysqli\n";
