import Foundation
import TritLab

/// `trit bench`: tokens per second, in the manner of llama-bench.
enum BenchCommand {
  static let prompt = OptionSpec(
    "-p", "--n-prompt", value: "n,…", help: "Prompt tokens of the pp tests; 0 leaves them out",
    default: "512")
  static let generate = OptionSpec(
    "-n", "--n-gen", value: "n,…", help: "Generated tokens of the tg tests; 0 leaves them out",
    default: "128")
  static let both = OptionSpec(
    "-pg", value: "pp,tg", help: "A test of both in one; may be repeated")
  static let depth = OptionSpec(
    "-d", "--n-depth", value: "n,…", help: "Positions already in the cache", default: "0")
  static let threads = OptionSpec(
    "-t", "--threads", value: "n,…", help: "Threads", default: "all cores",
    environment: "TRITLAB_THREADS")
  static let repetitions = OptionSpec(
    "-r", "--repetitions", value: "n", help: "Repetitions of each test", default: "5")
  static let output = OptionSpec(
    "-o", "--output", value: "format",
    help: "Format on standard output: table, md, csv, json, jsonl, sql",
    default: "table on a terminal, else md", choices: BenchTable.formats)
  static let errorOutput = OptionSpec(
    "-oe", "--output-err", value: "format", help: "The same rows on standard error too",
    choices: BenchTable.formats)
  static let like = OptionSpec(
    "--like", value: "tool",
    help: "The settings of another benchmark: bitnet.cpp (p 512, n 128, "
      + "t 2, one prompt token at a time)", choices: ["bitnet.cpp"])
  static let noWarmup = OptionSpec(flag: "--no-warmup", help: "Skip the run that does not count")
  static let delay = OptionSpec(
    "--delay", value: "s", help: "Pause before each test, in seconds", default: "0")

  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "bench", context, overview: "Measure tokens per second.",
      discussion: """
        Lists (1,2,4), ranges (1-8+1, 128-1024*2) and repeated options run all combinations; stage \
        options take lists too. Times hold neither tokenization nor sampling. MB/token and GB/s are what \
        generation reads: weights, head, keys and values. Repetitions go in rounds, one of each kernel, head, \
        cache and number of threads, then the next of each, so that a change of the machine meets all of them; \
        where others took the cores meanwhile, a line says so and the speed is marked (!). \
        The roof is measured beside each test: the \
        median speed of reading so many bytes for generation, the int8 peak for the linear layers of a \
        prompt. \
        Of a dummy with fewer layers than its model (trit dummy --layers), the speed and memory of the \
        whole model follow as an extrapolation.
        """,
      groups: [
        OptionGroup(
          "OPTIONS",
          [
            prompt, generate, both, depth, threads, repetitions, output, errorOutput, like,
            noWarmup,
            delay,
          ]),
        OptionGroup(
          "MODEL OPTIONS",
          [
            ModelOptions.model, ModelOptions.tokenizer, ModelOptions.i2sLayout, ModelOptions.chunk,
            ModelOptions.poll,
            ModelOptions.noImages, ModelOptions.verbose,
          ] + ModelOptions.accepted.filter { $0.mainName != "--no-warmup" }
            + [OptionSpec("-mmp", "-fa", value: "0|1", help: "", hidden: true)]),
        context.stages.group,
      ],
      json: "one list of the rows, as -o json; -o jsonl has a row a line", plugins: true,
      examples: [
        ("trit bench -m model.gguf -p 512 -n 128 -t 1,2 -r 5", "the usual table"),
        ("trit bench -m model.gguf -p 0 -n 64 --kernel i2_s,tl1,tl2", "race kernels in one run"),
        ("trit bench -m model.gguf -o jsonl | jq '{test: .n_gen, ts: .avg_ts}'", "for a script"),
      ],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    let isLike = try arguments.choice(like) != nil
    let tests = try tests(arguments)
    let threads = try arguments.integers(threads, in: 1...1024)
    let teams = threads.isEmpty ? [isLike ? 2 : HostInformation.cores] : threads
    let chunk = try arguments.integer(ModelOptions.chunk, in: 1...65_536) ?? (isLike ? 1 : 256)
    let poll = try arguments.integer(ModelOptions.poll, in: 0...100) ?? 50
    let pause = try arguments.real(delay, in: 0...86_400) ?? 0
    let selections = try BenchSelections(arguments)
    let checkpoint = try ModelOptions.checkpoint(arguments)
    let format = try format(arguments)
    var tables = [
      BenchTable(
        format: format, varying: selections.varying, room: Terminal.width, write: Terminal.out)
    ]
    if let format = try arguments.choice(errorOutput) {
      tables.append(
        BenchTable(format: format, varying: selections.varying, write: Terminal.noteRaw))
    }
    let positions = tests.map(\.positions).max() ?? 1
    let trained = checkpoint.configuration.contextLength
    if positions > trained {
      Terminal.note(
        "note: the tests run to position \(positions), the model was trained with \(trained): speeds hold, "
          + "text would be worse there")
    }
    // Every kernel on every team takes part in each round, as long as all of them fit in memory.
    // A race of many kernels would write gigabytes that nobody uses again.
    let images = ModelOptions.images(arguments, writes: false)
    var waiting = selections.all.flatMap { one in teams.map { (selection: one, threads: $0) } }
    let isTable = tables[0].isForPeople
    let all = waiting.count
    // A list that has begun is closed whatever happens: what stands there must be JSON.
    defer { for index in tables.indices { try? tables[index].close() } }
    while !waiting.isEmpty {
      let group = try BenchGroup(
        taking: &waiting, of: checkpoint, positions: positions, chunk: chunk, poll: poll,
        images: images, lab: arguments.lab)
      EngineLoader.explain(arguments)
      if group.engines.count < all {
        Terminal.note(
          "note: \(group.engines.count) of \(all) engines take turns in rounds: more would take over half of "
            + "the free memory")
      }
      for test in tests {
        if pause > 0 { Thread.sleep(forTimeInterval: pause) }
        for row in try group.rows(test, of: checkpoint, chunk: chunk, poll: poll) {
          for index in tables.indices { try tables[index].append(row) }
          // The table itself ends with these lines; other formats have no place for them that
          // people see.
          if !isTable, let disturbance = row.disturbance {
            Terminal.note("disturbed: \(disturbance)")
          }
        }
      }
    }
    for index in tables.indices { try tables[index].finish() }
  }

  /// The format of standard output: `--json` is `json`, beside a format of its kind that one.
  private static func format(_ arguments: ParsedArguments) throws -> String {
    let asked = try arguments.choice(output)
    guard arguments.isJSON else {
      return asked ?? (Terminal.isOutputTerminal ? "table" : "md")
    }
    guard let asked else { return "json" }
    guard asked.hasPrefix("json") else { throw ParserError.conflict(.json, output) }
    return asked
  }

  /// For every depth the prompt tests, the generation tests, and those of both.
  private static func tests(_ arguments: ParsedArguments) throws -> [SpeedMeasurement] {
    let sizes = 0...(1 << 24)
    let prompts = arguments.has(prompt) ? try arguments.integers(prompt, in: sizes) : [512]
    let lengths = arguments.has(generate) ? try arguments.integers(generate, in: sizes) : [128]
    let depths = arguments.has(depth) ? try arguments.integers(depth, in: sizes) : [0]
    let repetitions = try arguments.integer(repetitions, in: 1...1_000_000) ?? 5
    let pairs = try arguments.all(both).map { text -> (Int, Int) in
      let numbers = text.split(separator: ",").compactMap { Int($0) }
      guard numbers.count == 2, numbers.allSatisfy(sizes.contains) else {
        throw ParserError.invalidValue(both, value: text, expected: "two numbers, as 512,128")
      }
      return (numbers[0], numbers[1])
    }
    let combinations =
      prompts.filter { $0 > 0 }.map { ($0, 0) } + lengths.filter { $0 > 0 }.map { (0, $0) } + pairs
    guard !combinations.isEmpty else {
      throw LabError(
        .usage, "there is nothing to time", expected: "-p, -n or -pg above 0", got: "-p 0 -n 0")
    }
    let warmsUp = !arguments.flag(noWarmup)
    return depths.flatMap { depth in
      combinations.map { prompt, generated in
        SpeedMeasurement(
          promptTokens: prompt, generatedTokens: generated, depth: depth,
          repetitions: repetitions, warmsUp: warmsUp)
      }
    }
  }
}
