import Foundation
import TritLab
import _TritTestSupport

extension FuzzTarget {
  /// What is made of models beside running them: folders for transformers, and findings.
  static let exports = [
    FuzzTarget(
      name: "export-folder",
      summary: "GGUF files that open are written as Hugging Face folders, read back and compared",
      grammar: .gguf, minimumAccepted: 0.02,
      sources: ["TritModel/Export/HuggingFace", "TritTokenization/Export/HuggingFace"],
      seeds: { try ggufModels() }
    ) { scratch in
      { bytes in
        let checkpoint = try Checkpoint(path: try scratch.write(bytes, to: "model.gguf"))
        let path = scratch.path("folder")
        try? FileManager.default.removeItem(atPath: path)
        defer { try? FileManager.default.removeItem(atPath: path) }
        // Packed where trits are stored, but now and then; floats elsewhere.
        let isPacked = checkpoint.configuration.quantization != nil && bytes.count % 5 != 0
        let form: HuggingFaceExport.Form = isPacked ? .packed : .bfloat16
        do {
          try HuggingFaceExport(checkpoint, form: form).write(to: path)
        } catch {
          let left = try FileManager.default.contentsOfDirectory(atPath: scratch.folder)
          try demand(
            !left.contains { $0.hasPrefix("folder") }, "nothing is left of an export that failed")
          throw error
        }
        let again = try Checkpoint(path: path)
        try demand(
          again.configuration.hiddenSize == checkpoint.configuration.hiddenSize
            && again.plan.block == checkpoint.plan.block,
          "an exported model is the model that it was")
      }
    },
    FuzzTarget(
      name: "doctor", summary: "GGUF files, examined without running them",
      grammar: .gguf, minimumAccepted: 0.5, sources: ["TritEvaluation/Doctor"],
      seeds: { try ggufModels() }
    ) { scratch in
      { bytes in
        var doctor = ModelDoctor()
        doctor.runs = false
        _ = try doctor.examine(try scratch.write(bytes, to: "model.gguf"))
      }
    },
  ]

  /// Small models of several architectures, one with its tokenizer and a chat template inside.
  private static func ggufModels() throws -> [[UInt8]] {
    var wide = SmallModel(isPacked: true, isBitNet: true)
    wide.hidden = 128
    wide.feedForward = 128
    let plain = try SmallModel().gguf(.f32)
    return [plain, try wide.gguf(.i2_s), try withTokenizer(plain)]
  }

  private static func withTokenizer(_ model: [UInt8]) throws -> [UInt8] {
    let folder = try TemporaryFolder("seed")
    let file = try GGUFFile(path: folder.write(model, to: "m.gguf"))
    var writer = GGUFWriter()
    for (key, value) in file.metadata { writer.set(key, value) }
    let rows = SmallModel().vocabulary
    let letters = "▁abcdefghijklmnopqrst".map(String.init)
    let tokens = Array((["<unk>", "<s>", "</s>"] + letters + ["▁a"]).prefix(rows))
    writer.set("tokenizer.ggml.model", .string("llama"))
    writer.set("tokenizer.ggml.tokens", .array(.string(tokens)))
    writer.set(
      "tokenizer.ggml.scores", .array(.float32(tokens.indices.map { $0 < 3 ? 0 : -Float($0) })))
    writer.set(
      "tokenizer.ggml.token_type",
      .array(.int32(tokens.indices.map { $0 == 0 ? 2 : $0 < 3 ? 3 : 1 })))
    writer.set("tokenizer.ggml.bos_token_id", .uint32(1))
    writer.set("tokenizer.ggml.eos_token_id", .uint32(2))
    writer.set("tokenizer.chat_template", .string("{{ messages[0].content }}"))
    for info in file.tensors {
      writer.add(
        try TensorContent(
          name: info.name, type: info.type, shape: info.shape, bytes: try file.bytes(info.name)))
    }
    return try Seeds.file { try writer.write(to: $0) }
  }
}
