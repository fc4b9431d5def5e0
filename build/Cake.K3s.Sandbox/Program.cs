Console.Error.WriteLine("The sandbox cannot run yet.");
return 1;
