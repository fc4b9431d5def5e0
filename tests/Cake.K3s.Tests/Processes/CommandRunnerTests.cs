using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Cake.K3s.Processes;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.Tests.Processes;

[Platform(Exclude = "Win")]
public sealed class CommandRunnerTests
{
    private readonly SecretMask _mask = new();
    private CommandRunner _runner;
    private TemporaryDirectory _directory;

    [SetUp]
    public void SetUp()
    {
        _runner = new CommandRunner(_mask, TimeProvider.System);
        _directory = new TemporaryDirectory();
    }

    [TearDown]
    public void TearDown() => _directory.Dispose();

    [Test]
    public async Task Should_return_both_streams_When_the_command_succeeds()
    {
        var result = await RunAsync(ShellCommand.Of("echo out; echo err >&2"));

        Assert.That((result.ExitCode, result.StandardOutput, result.StandardError), Is.EqualTo((0, "out\n", "err\n")));
    }

    [Test]
    public async Task Should_pass_arguments_unread_by_a_shell()
    {
        var result = await RunAsync(new Command("printf", "%s|", "a b", "$HOME", "*", ""));

        Assert.That(result.StandardOutput, Is.EqualTo("a b|$HOME|*||\n"));
    }

    [Test]
    public async Task Should_show_a_line_while_the_command_still_runs()
    {
        var gate = _directory.File("gate");
        var seen = new TaskCompletionSource();
        var running = RunAsync(ShellCommand.Of($"echo first; until [ -e {gate} ]; do sleep 0.01; done") with { OnLine = _ => seen.TrySetResult() });

        await seen.Task.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.That(running.IsCompleted, Is.False);
        await File.WriteAllTextAsync(gate, "");
        await running;
    }

    [Test]
    public void Should_name_command_code_directory_and_last_lines_When_the_command_fails()
    {
        var command = ShellCommand.Of("for i in $(seq 30); do echo line $i; done; echo bad >&2; exit 3") with
        {
            WorkingDirectory = _directory.Path,
            Purpose = "count",
        };

        var failure = Assert.ThrowsAsync<CommandFailedException>(() => RunAsync(command));

        Assert.That(failure.Summary, Is.EqualTo("count: sh ended with exit code 3"));
        Assert.That(failure.CommandExitCode, Is.EqualTo(3));
        Assert.That(failure.LastLines, Has.Count.EqualTo(20).And.Member("line 30").And.Member("bad").And.No.Member("line 9"));
        Assert.That(failure.Message, Does.Contain("command: sh -ec 'for i").And.Contain($"directory: {_directory.Path}").And.Contain("line 30"));
        Assert.That(failure.ExitCode, Is.EqualTo(ExitCodes.Failed));
    }

    [Test]
    public async Task Should_not_fail_When_the_exit_code_is_accepted()
    {
        var result = await RunAsync(ShellCommand.Of("exit 1") with { AcceptedExitCodes = [0, 1] });

        Assert.That(result.ExitCode, Is.EqualTo(1));
    }

    [Test]
    public void Should_name_the_program_When_there_is_none()
    {
        var failure = Assert.ThrowsAsync<CommandFailedException>(() => RunAsync(new Command("no-such-program-here")));

        Assert.That(failure.Summary, Does.StartWith("no-such-program-here cannot be started"));
        Assert.That(failure.CommandExitCode, Is.Null);
    }

    [Test]
    public void Should_name_the_directory_When_it_does_not_exist()
    {
        var command = new Command("true") { WorkingDirectory = _directory.File("gone") };

        var failure = Assert.ThrowsAsync<CommandFailedException>(() => RunAsync(command));

        Assert.That(failure.Message, Does.Contain("directory does not exist").And.Contain(_directory.File("gone")));
    }

    [Test]
    public async Task Should_write_standard_input_and_close_it()
    {
        var result = await RunAsync(new Command("cat") { StandardInput = new Secret("from stdin") });

        Assert.That(result.StandardOutput, Is.EqualTo("from stdin\n"));
    }

    [Test]
    public async Task Should_not_fail_When_the_command_ends_without_reading_its_input()
    {
        var result = await RunAsync(new Command("true") { StandardInput = new Secret(new string('x', 10_000_000)) });

        Assert.That(result.ExitCode, Is.Zero);
    }

    [Test]
    public async Task Should_add_and_remove_variables()
    {
        var command = ShellCommand.Of("echo ${ADDED-unset} ${HOME-unset}");
        command = command with { Environment = command.Environment.Add("ADDED", "yes").Add("HOME", null) };

        var result = await RunAsync(command);

        Assert.That(result.StandardOutput, Is.EqualTo("yes unset\n"));
    }

    [Test]
    public async Task Should_hide_secrets_in_lines_and_result()
    {
        var lines = new ConcurrentQueue<string>();
        var command = ShellCommand.Of("echo token is $TOKEN; echo $TOKEN >&2") with { OnLine = line => lines.Enqueue(line.Text) };
        command = command with { SecretEnvironment = command.SecretEnvironment.Add("TOKEN", new Secret("s3cr3t-value")) };

        var result = await RunAsync(command);

        Assert.That(lines, Is.EquivalentTo(new[] { "token is ***", "***" }));
        Assert.That(result.StandardOutput + result.StandardError, Is.EqualTo("token is ***\n***\n"));
    }

    [Test]
    public void Should_hide_secrets_in_the_failure()
    {
        _mask.Add(new Secret("s3cr3t-value"));

        var failure = Assert.ThrowsAsync<CommandFailedException>(() => RunAsync(ShellCommand.Of("echo s3cr3t-value; exit 1")));

        Assert.That(failure.ToString(), Does.Not.Contain("s3cr3t-value"));
    }

    [Test]
    public async Task Should_give_the_output_away_only_as_a_secret_When_it_is_one()
    {
        var lines = new ConcurrentQueue<string>();
        _mask.Add(new Secret("s3cr3t-value"));

        var result = await RunAsync(ShellCommand.Of("echo s3cr3t-value") with { OutputIsSecret = true, OnLine = line => lines.Enqueue(line.Text) });

        Assert.That(result.SecretOutput!.Reveal(), Is.EqualTo("s3cr3t-value\n"));
        Assert.That(result.StandardOutput, Is.Empty);
        Assert.That(lines, Is.Empty);
    }

    [Test]
    public void Should_say_how_long_it_took_When_the_timeout_passes()
    {
        var failure = Assert.ThrowsAsync<CommandFailedException>(
            () => RunAsync(ShellCommand.Of("echo before; exec sleep 600") with { Timeout = TimeSpan.FromMilliseconds(200) }));

        Assert.That(failure.Summary, Is.EqualTo("sh did not end within 0.2 s and was ended"));
        Assert.That(failure.LastLines, Is.EqualTo(new[] { "before" }));
    }

    [TestCase("sleep 600 & echo $! >> pids; wait", TestName = "Should_end_children_When_cancelled")]
    [TestCase("(sleep 600 & echo $! >> pids); exec sleep 600", TestName = "Should_end_orphans_When_cancelled")]
    [TestCase("setsid sh -c 'echo $$ >> pids; exec sleep 600' & wait", TestName = "Should_end_other_sessions_When_cancelled")]
    [TestCase("(setsid sh -c 'echo $$ >> pids; exec sleep 600' &); exec sleep 600", TestName = "Should_end_daemons_When_cancelled")]
    [TestCase("env -i sleep 600 & echo $! >> pids; wait", TestName = "Should_end_children_without_the_mark_When_cancelled")]
    [TestCase("trap '' TERM; echo $$ >> pids; while :; do sleep 0.1; done", TestName = "Should_end_what_ignores_the_request_When_cancelled")]
    [Platform("Linux")]
    public async Task Should_end_the_whole_tree(string script)
    {
        using var cancellation = new CancellationTokenSource();
        var running = _runner.RunAsync(ShellCommand.Of(script) with { WorkingDirectory = _directory.Path }, cancellation.Token);
        await Eventually.HoldsAsync(() => File.Exists(_directory.File("pids")) && new FileInfo(_directory.File("pids")).Length > 0);
        var processes = (await File.ReadAllLinesAsync(_directory.File("pids"))).Select(line => int.Parse(line, CultureInfo.InvariantCulture)).ToList();

        await cancellation.CancelAsync();

        Assert.That(async () => await running, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(processes.Where(RunningProcess.Exists), Is.Empty);
    }

    [Test]
    public async Task Should_let_a_program_clean_up_When_cancelled()
    {
        using var cancellation = new CancellationTokenSource();
        var script = "trap 'echo cleaned > cleaned; exit 1' TERM; echo > ready; while :; do sleep 0.05; done";
        var running = _runner.RunAsync(ShellCommand.Of(script) with { WorkingDirectory = _directory.Path }, cancellation.Token);
        await Eventually.HoldsAsync(() => File.Exists(_directory.File("ready")));

        await cancellation.CancelAsync();

        Assert.That(async () => await running, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(_directory.File("cleaned"), Does.Exist);
    }

    [Test]
    public void Should_start_nothing_When_cancelled_already()
    {
        var command = ShellCommand.Of("echo > started") with { WorkingDirectory = _directory.Path };

        Assert.That(async () => await _runner.RunAsync(command, new CancellationToken(canceled: true)), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(_directory.File("started"), Does.Not.Exist);
    }

    [Test]
    public void Should_Be_Cancelled_When_The_Program_Heard_Of_Ctrl_C_First()
    {
        using var cancellation = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));

        Assert.That(
            async () => await _runner.RunAsync(ShellCommand.Of("exit 130"), cancellation.Token), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    [Platform("Linux")]
    public async Task Should_not_wait_for_a_background_process_that_holds_the_output()
    {
        var watch = Stopwatch.StartNew();

        var result = await RunAsync(ShellCommand.Of("echo out; sleep 600 & echo $! > pid") with { WorkingDirectory = _directory.Path });

        using var left = Process.GetProcessById(int.Parse(await File.ReadAllTextAsync(_directory.File("pid")), CultureInfo.InvariantCulture));
        left.Kill();
        Assert.That(result.StandardOutput, Is.EqualTo("out\n"));
        Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromSeconds(30)));
    }

    [Test]
    public async Task Should_read_all_output_When_there_is_more_than_a_pipe_holds()
    {
        var result = await RunAsync(new Command("seq", "200000"));

        Assert.That(result.StandardOutput, Does.EndWith("\n199999\n200000\n"));
    }

    [Test]
    public void Should_throw_what_the_callback_threw_and_not_hang()
    {
        var command = new Command("seq", "200000") { OnLine = _ => throw new InvalidOperationException("from the callback") };

        Assert.That(async () => await RunAsync(command), Throws.InvalidOperationException.With.Message.EqualTo("from the callback"));
    }

    [Test]
    [Platform("Linux")]
    public async Task Should_start_a_program_in_its_own_session_with_its_output_in_a_private_file_When_detached()
    {
        var log = _directory.File("log");
        var id = _runner.StartDetached(ShellCommand.Of("echo started; exec sleep 600") with { WorkingDirectory = _directory.Path }, log);
        using var process = Process.GetProcessById(id);
        try
        {
            await Eventually.HoldsAsync(() => File.ReadAllText(log) == "started\n");

            Assert.That(new FileInfo(log).UnixFileMode, Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
            Assert.That(process.SessionId, Is.EqualTo(id));
            var streams = new[] { "0", "1", "2" }.Select(stream => File.ResolveLinkTarget($"/proc/{id}/fd/{stream}", false)!.FullName);
            Assert.That(streams, Is.EqualTo(new[] { "/dev/null", log, log }));
        }
        finally
        {
            process.Kill();
        }
    }

    [Test]
    [Platform("Linux")]
    public async Task Should_pass_its_variables_When_detached()
    {
        var log = _directory.File("log");
        var command = ShellCommand.Of("env");
        _runner.StartDetached(command with { Environment = command.Environment.Add("GIVEN", "yes") }, log);

        await Eventually.HoldsAsync(() => File.ReadAllText(log).Contains("GIVEN=yes", StringComparison.Ordinal));
    }

    [Test]
    public void Should_name_the_log_When_it_cannot_be_written()
    {
        Assert.That(
            () => _runner.StartDetached(new Command("true"), _directory.File("no", "log")),
            Throws.TypeOf<CommandFailedException>().With.Message.Contains(_directory.File("no", "log")));
    }

    [Test]
    public void Should_name_the_program_When_there_is_none_to_detach()
    {
        Assert.That(
            () => _runner.StartDetached(new Command("no-such-program-here"), _directory.File("log")),
            Throws.TypeOf<CommandFailedException>().With.Message.Contain("no-such-program-here"));
    }

    private Task<CommandResult> RunAsync(Command command) => _runner.RunAsync(command, CancellationToken.None);
}
