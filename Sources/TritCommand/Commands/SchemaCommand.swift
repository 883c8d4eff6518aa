import TritLab

/// `trit schema`: the form of experiment files, for editors.
enum SchemaCommand {
  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "schema", context, overview: "Print the JSON Schema of experiment files.",
      discussion: """
        Made from the lab, so it knows every stage and parameter of this build. An editor that \
        reads '# yaml-language-server: $schema=trit.schema.json' at the top of a file completes names \
        and shows mistakes as they are typed.
        """,
      groups: [],
      json: "the schema, which is JSON as it is", plugins: true,
      examples: [
        ("trit schema", "the schema"),
        ("trit schema > experiments/trit.schema.json", "where experiment files look for it"),
      ],
      run: { arguments in
        let text = ExperimentSchema.json(lab: arguments.lab)
        try Terminal.out(text.hasSuffix("\n") ? text : text + "\n")
      })
  }
}
