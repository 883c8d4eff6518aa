extension TritCommand {
  /// The subcommands, in the order of the help.
  package static let commands: [CommandSpec] = [
    RunCommand.spec, GenerateCommand.spec, PerplexityCommand.spec, BenchCommand.spec,
    TrainCommand.spec, ExportCommand.spec, PeakCommand.spec, KernelCommand.spec, CacheCommand.spec,
    DummyCommand.spec,
    LogitsCommand.spec,
    InspectCommand.spec, TokenizeCommand.spec, DetokenizeCommand.spec, ListCommand.spec,
    SchemaCommand.spec, CompletionsCommand.spec,
  ]

  static let examples: [(line: String, does: String)] = [
    (
      "trit run experiments/quickstart.yaml --set model=DIR",
      "text, perplexity, comparison and plots"
    ),
    ("trit generate -m model.gguf -p 'Once upon a time' -n 80", "continue a text"),
    ("trit list kernel", "what can be swapped in for the kernel"),
  ]
}
