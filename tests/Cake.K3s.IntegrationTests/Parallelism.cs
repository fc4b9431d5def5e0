// Most of what these tests do is wait for other programs. Fixtures run side by side, a few more than there are cores; those that take a part away
// from the others say so with [NonParallelizable]. What several fixtures share, a [SetUpFixture], says that it is parallelizable too: NUnit
// would run all that is below it alone otherwise.
[assembly: Parallelizable(ParallelScope.Fixtures)]
[assembly: LevelOfParallelism(5)]
