import TritLab

/// All combinations of the stage options of a benchmark, each of which may be a list.
struct BenchSelections {
  /// The combinations, the last option changing fastest.
  let all: [StageSelection]
  /// Columns whose choices differ between rows.
  let varying: Set<String>

  /// Reads the lists.
  init(_ arguments: ParsedArguments) throws {
    if arguments.flag(StageOptions.reference) {
      all = [try arguments.stages.selection(arguments)]
      varying = []
      return
    }
    let lists = try arguments.stages.kinds.map { kind, option in
      (option: option, choices: try Self.choices(arguments.all(option)))
    }
    var combinations: [[String: [String]]] = [[:]]
    for (option, choices) in lists where !choices.isEmpty {
      combinations = combinations.flatMap { values in
        choices.map { values.merging([option.mainName: [$0]]) { $1 } }
      }
    }
    let layers = arguments.all(arguments.stages.layers)
    all = try combinations.map { values in
      var values = values
      if !layers.isEmpty { values[arguments.stages.layers.mainName] = layers }
      // What 'trit generate' runs without flags.
      return try arguments.stages.selection(
        ParsedArguments(command: arguments.command, values: values, arguments: []),
        head: StageOptions.head(deciding: SamplingOptions().decidingLogits))
    }
    let columns = [
      "--quantizer": "quantizer", "--cache": "type_k", "--head": "head",
    ]
    varying = Set(
      lists.filter { $0.choices.count > 1 }.compactMap { columns[$0.option.mainName] })
  }

  /// Takes comma lists apart, leaving the commas between parameters:
  /// `twn:group=64,threshold=0.7,sign` is two.
  private static func choices(_ values: [String]) throws -> [String] {
    values.flatMap { value in
      value.split(separator: ",").reduce(into: [String]()) { list, part in
        if part.contains("="), !part.contains(":"), let last = list.popLast() {
          list.append(last + "," + part)
        } else {
          list.append(String(part))
        }
      }
    }
  }
}
