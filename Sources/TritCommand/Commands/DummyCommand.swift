import Foundation
import TritLab

/// `trit dummy`: a model of random weights in the shape of a real one.
enum DummyCommand {
  static let preset = OptionSpec(
    "--preset", value: "name", help: "The model whose shapes are written",
    default: "bitnet-b1.58-2B-4T", choices: DummyPreset.all.map(\.name))
  static let output = OptionSpec("-o", "--output", value: "file", help: "The GGUF file to write")
  static let layers = OptionSpec(
    "--layers", value: "n", help: "Blocks to write", default: "all of the model")
  static let embedding = OptionSpec(
    "--embedding", value: "type", help: "Type of embedding and head",
    default: "f16; pq2_0 for Bonsai", choices: ["f16", "q6_k", "pq2_0"])
  static let seed = OptionSpec("-s", "--seed", value: "n", help: "Random seed", default: "1")

  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "dummy", context,
      overview: "Write a model of random ternary weights in the shape of a real one.",
      discussion: """
        For measuring speed without a download: the file costs what the model costs, and its text is \
        noise. Weights are I2_S, or PQ2_0 for Bonsai, with a scale every 128 columns; norms float32. With fewer layers than the model has, speeds of the \
        whole model can only be extrapolated.
        """,
      groups: [OptionGroup("OPTIONS", [preset, output, layers, embedding, seed])],
      json: "one object about the file that was written",
      examples: [
        ("trit dummy -o dummy-2B.gguf", "the shapes of bitnet-b1.58-2B-4T, 1.2 GB"),
        ("trit dummy --preset 100B --layers 2 -o two-of-100B.gguf", "two blocks of a model of 72"),
      ],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    let shape = try DummyPreset.named(try arguments.choice(preset) ?? DummyPreset.all[0].name)
    let path = try arguments.required(output)
    let count = try arguments.integer(layers, in: 1...4096)
    let name = try arguments.choice(embedding)
    let type = [TensorType.f16, .q6_k, .pq2_0].first { $0.name.lowercased() == name }
    let start = try arguments.integer(seed, in: 0...Int.max) ?? 1
    let model = DummyModel(shape, layers: count, embedding: type, seed: UInt64(start))
    try model.write(to: path)
    guard !arguments.isJSON else {
      return try Terminal.json([
        "path": .string(path), "preset": .string(shape.name), "layers": JSONValue(model.layers),
        "model_layers": JSONValue(shape.layers),
        "embedding": .string(model.embedding.name.lowercased()),
        "seed": JSONValue(start),
        "ternary_weights": JSONValue(model.layers * shape.ternaryPerLayer),
      ])
    }
    let weights = Double(model.layers * shape.ternaryPerLayer) * 1e-6
    Terminal.note(
      "wrote \(path): \(model.layers) of \(shape.layers) layers, "
        + String(format: "%.1f M ternary weights", weights))
  }
}
