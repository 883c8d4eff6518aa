extension TritCommand {
  /// The subcommands, in the order of the help.
  package static func commands(_ context: CommandContext) -> [CommandSpec] {
    [
      RunCommand.spec(context), CollectCommand.spec(context), CompareCommand.spec(context),
      GenerateCommand.spec(context), ChatCommand.spec(context), TemplateCommand.spec(context),
      PerplexityCommand.spec(context),
      TasksCommand.spec(context), EmbedCommand.spec(context),
      BenchCommand.spec(context), TrainCommand.spec(context), ExportCommand.spec(context),
      PeakCommand.spec(context), KernelCommand.spec(context), ArenaCommand.spec(context),
      CacheCommand.spec(context), NotebookCommand.spec(context),
      DummyCommand.spec(context), LogitsCommand.spec(context), InspectCommand.spec(context),
      DoctorCommand.spec(context),
      TokenizeCommand.spec(context), DetokenizeCommand.spec(context), ListCommand.spec(context),
      ExplainCommand.spec(context),
      NewCommand.spec(context), SchemaCommand.spec(context), CompletionsCommand.spec(context),
    ]
  }

  static let examples: [(line: String, does: String)] = [
    (
      "trit run experiments/quickstart.yaml --set model=DIR",
      "text, perplexity, comparison and plots"
    ),
    ("trit generate -m model.gguf -p 'Once upon a time' -n 80", "continue a text"),
    ("trit list kernel", "what can be swapped in for the kernel"),
  ]
}
