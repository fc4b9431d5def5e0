Console.Error.WriteLine("The build cannot run yet.");
return 1;
