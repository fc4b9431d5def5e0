using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.Cel;

namespace Cake.K3s.Sandbox.Tests.Cel;

/// <summary>What expressions mean, after the language's specification and the API server's libraries.</summary>
internal sealed class CelProgramTests
{
    private const string Pod = """
        {
          "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web", "app.kubernetes.io/name": "web"}, "annotations": {}},
          "spec": {
            "replicas": 3, "ratio": 0.5, "paused": false, "nothing": null, "sub-domain": "x",
            "containers": [
              {"name": "api", "image": "registry.local:5000/shop/api@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "ports": [{"containerPort": 80}, {"containerPort": 443}]},
              {"name": "log", "image": "busybox"}
            ]
          }
        }
        """;

    [TestCase("1 + 2 * 3 == 7")]
    [TestCase("(1 + 2) * 3 == 9")]
    [TestCase("7 / 2 == 3 && -7 % 3 == -1 && 0x10 == 16 && 10u == 10")]
    [TestCase("1.5 + 1.5 == 3.0 && 1e3 == 1000.0 && 1 == 1.0 && 2 > 1.5")]
    [TestCase(@"'\x41\u0042\103\n' == 'ABC\n' && r'\d' == '\\d' && '''a""b''' == 'a""b'")]
    [TestCase("!false && !(true && false) || false")]
    [TestCase("true ? 'a' == 'a' : 1 / 0 == 1")]
    [TestCase("[1, 2, 3,].size() == 3 && size({'a': 1}) == 1 && size('äb') == 2")]
    [TestCase("2 in [1, 2] && 'a' in {'a': 1} && !('b' in {'a': 1})")]
    [TestCase("[1, [2, 'x']] == [1, [2, 'x']] && {'a': [1]} == {'a': [1]} && 1 != '1'")]
    [TestCase("type(1) == int && type('') == string && type([]) == list && type(null) == null_type && type(object) == map")]
    [TestCase("int('42') == 42 && string(42) == '42' && double('0.5') == 0.5 && int(2.9) == 2 && bool('true')")]
    [TestCase("duration('1h30m') > duration('80m') && timestamp('2025-01-01T00:00:00Z') + duration('24h') == timestamp('2025-01-02T00:00:00Z')")]
    public void Should_compute_as_the_language_does_When_there_are_only_literals(string expression) => Assert.That(Run(expression), Is.True);

    [TestCase("object.metadata.name == 'web' && object['spec']['replicas'] == 3 && object.spec.containers[0].ports[1].containerPort == 443")]
    [TestCase("has(object.spec.replicas) && !has(object.spec.missing) && !has(object.metadata.labels.none)")]
    [TestCase("object.metadata.labels['app.kubernetes.io/name'] == 'web' && object.spec.sub__dash__domain == 'x'")]
    [TestCase("object.spec.containers.all(c, c.image.size() > 0) && object.spec.containers.exists(c, c.name == 'log')")]
    [TestCase("object.spec.containers.exists_one(c, has(c.ports)) && !object.spec.containers.exists_one(c, true)")]
    [TestCase("object.spec.containers.map(c, c.name) == ['api', 'log'] && object.spec.containers.filter(c, has(c.ports)).size() == 1")]
    [TestCase("object.spec.containers.map(c, has(c.ports), c.name) == ['api']")]
    [TestCase("object.metadata.labels.all(key, key.startsWith('app')) && object.metadata.labels.exists(k, object.metadata.labels[k] == 'web')")]
    [TestCase("object.spec.containers[0].image.matches('@sha256:[a-f0-9]{64}$') && !object.spec.containers[1].image.matches(r'@sha256:')")]
    [TestCase("object.spec.containers[0].image.startsWith('registry.local:5000/') && object.spec.containers[0].image.contains('/shop/')")]
    [TestCase("object.spec.containers[0].image.split('@')[0].endsWith('api') && 'A-b'.lowerAscii() == 'a-b' && 'a,b'.replace(',', '') == 'ab'")]
    [TestCase("['b', 'a'].join('-') == 'b-a' && 'hello'.substring(1, 3) == 'el' && 'hello'.indexOf('l') == 2 && 'abc 123'.find('[0-9]+') == '123'")]
    [TestCase("[1, 2, 3].sum() == 6 && [3, 1].max() == 3 && [1, 2].isSorted() && sets.contains([1, 2], [1])")]
    [TestCase("object.?spec.?missing.orValue('none') == 'none' && object.?spec.?replicas.orValue(0) == 3 && object.metadata.?annotations[?'x'].hasValue() == false")]
    [TestCase("[?object.spec.?missing, ?object.spec.?replicas] == [3] && object.spec.?replicas.optMap(r, r + 1).value() == 4")]
    [TestCase("quantity('1Gi').isGreaterThan(quantity('500Mi')) && isQuantity('1k') && !isQuantity('one') && quantity('2k').asInteger() == 2000")]
    [TestCase("'%s has %d of %s'.format([object.metadata.name, object.spec.replicas, [1, 2]]) == 'web has 3 of [1, 2]'")]
    [TestCase("object.spec.nothing == null && object.spec.paused == false && object.spec.ratio < 1")]
    public void Should_read_the_object_When_an_expression_asks_for_it(string expression) => Assert.That(Run(expression), Is.True);

    [TestCase("false && object.spec.missing == 1", ExpectedResult = false)]
    [TestCase("object.spec.missing == 1 && false", ExpectedResult = false)]
    [TestCase("object.spec.missing == 1 || true", ExpectedResult = true)]
    [TestCase("object.spec.containers.exists(c, c.ports.size() == 9 || c.name == 'log')", ExpectedResult = true)]
    [TestCase("object.spec.containers.all(c, c.ports.size() == 9)", ExpectedResult = false)]
    public object? Should_not_fail_When_what_fails_does_not_decide(string expression) => Run(expression);

    [TestCase("object.spec.missing == 1", "no such key: missing")]
    [TestCase("object.metadata.labels['x'] == ''", "no such key: x")]
    [TestCase("object.spec.containers[7].name == ''", "index out of bounds: 7")]
    [TestCase("object.spec.replicas.startsWith('3')", "no such overload: startsWith")]
    [TestCase("object.spec.replicas < 'a'", "no such overload: int < string")]
    [TestCase("1 / 0 == 1", "division by zero")]
    [TestCase("9223372036854775807 + 1 > 0", "integer overflow")]
    [TestCase("'a'.matches('(')", "error parsing regexp")]
    [TestCase("object.spec.replicas && true", "no such overload: int")]
    public void Should_say_why_in_the_words_of_cel_go_When_an_evaluation_fails(string expression, string message)
        => Assert.That(() => Run(expression), Throws.InstanceOf<CelException>().With.Message.StartsWith(message));

    [TestCase("objekt.spec.x == 1", "ERROR: <input>:1:1: undeclared reference to 'objekt' (in container '')\n | objekt.spec.x == 1\n | ^")]
    [TestCase("object.spec.containers.all(c, c.name == d)", "ERROR: <input>:1:41: undeclared reference to 'd'")]
    [TestCase("object.name.beginsWith('a')", "ERROR: <input>:1:13: undeclared reference to 'beginsWith'")]
    [TestCase("object.name.startsWith()", "ERROR: <input>:1:13: found no matching overload for 'startsWith'")]
    [TestCase("object.spec.x ==", "ERROR: <input>:1:17: Syntax error: mismatched input '<EOF>' expecting IDENTIFIER")]
    [TestCase("object.spec.x = 1", "ERROR: <input>:1:15: Syntax error: token recognition error at: '='")]
    [TestCase("'open", "ERROR: <input>:1:1: Syntax error: unterminated string")]
    [TestCase("has(object)", "ERROR: <input>:1:1: invalid argument to has() macro")]
    [TestCase("true &&\n  oops", "ERROR: <input>:2:3: undeclared reference to 'oops' (in container '')\n |   oops\n | ..^")]
    [TestCase("99999999999999999999 > 1", "ERROR: <input>:1:1: invalid int literal")]
    public void Should_point_at_the_place_When_an_expression_cannot_be_compiled(string expression, string message)
        => Assert.That(() => Run(expression), Throws.InstanceOf<CelException>().With.Message.StartsWith(message));

    [Test]
    public void Should_refuse_When_an_expression_is_nested_too_deep()
        => Assert.That(() => Run(new string('(', 100_000) + "1" + new string(')', 100_000)), Throws.InstanceOf<CelException>().With.Message.Contains("recursion limit"));

    [Test]
    public void Should_stop_When_an_expression_costs_too_much()
    {
        const string Ten = "[0,1,2,3,4,5,6,7,8,9]";
        var expression = string.Concat(Enumerable.Range(0, 8).Select(at => $"{Ten}.all(v{at}, ")) + "true" + new string(')', 8);

        Assert.That(() => Run(expression), Throws.InstanceOf<CelException>().With.Message.Contains("cost limit exceeded"));
    }

    private static object? Run(string expression)
        => CelProgram.Compile(expression, "object").Evaluate(new Dictionary<string, object?> { ["object"] = CelValues.Of(JsonNode.Parse(Pod)) });
}
