import Foundation
public import TritCore
import TritFormats
import TritModel

/// Writes a trained model as a Hugging Face folder: bfloat16 masters, `config.json`,
/// `generation_config.json`.
///
/// A model trained with absmean and int8 says so in `quantization_config` as transformers does for
/// online BitNet layers; one trained otherwise has none, and `tritlab` tells the stages, which the
/// engine runs it with. Source: transformers 5, `integrations/bitnet.py`, `models/bitnet`.
public enum ModelExport {
  /// Writes the model of `parameters` into `folder`, which exists. `endOfText` is both BOS and EOS.
  public static func write(
    _ parameters: ParameterSet, quantizer: StageChoice, activations: StageChoice, endOfText: Int?,
    to folder: String
  ) throws {
    try SafetensorsWriter.write(
      parameters.tensors(of: parameters.values, as: .bf16), metadata: ["format": "pt"],
      to: folder + "/" + Safetensors.fileName)
    let configuration = configuration(
      parameters.shape, quantizer: quantizer, activations: activations, endOfText: endOfText)
    try AtomicFile.write(
      JSONWriter.text(configuration, pretty: true) + "\n", to: folder + "/config.json")
    var generation: [(key: String, value: JSONValue)] = [("do_sample", true), ("temperature", 0.8)]
    generation += ends(parameters.shape, endOfText)
    try AtomicFile.write(
      JSONWriter.text(.object(generation), pretty: true) + "\n",
      to: folder + "/generation_config.json")
  }

  /// The tokens that begin and end a text: the checkpoint's that was trained on, else the one that
  /// stood between the texts.
  private static func ends(
    _ shape: ModelShape, _ endOfText: Int?
  ) -> [(key: String, value: JSONValue)] {
    if let own = shape.ends.object, !own.isEmpty { return own }
    return endOfText.map {
      [("bos_token_id", JSONValue($0)), ("eos_token_id", JSONValue($0))]
    } ?? []
  }

  /// `config.json`: that of the shape, with what the training decided.
  static func configuration(
    _ shape: ModelShape, quantizer: StageChoice, activations: StageChoice, endOfText: Int?
  ) -> JSONValue {
    var document = shape.document
    for (key, value) in ends(shape, endOfText) { document = document.setting(key, value) }
    let isTransformers = quantizer == StageChoice("absmean") && activations == StageChoice("int8")
    // Norms inside layers, and layers that stay dense, are part of the shape.
    let own = shape.configuration.quantization == nil ? nil : document["quantization_config"]
    if isTransformers || own != nil {
      var quantization: JSONValue = [
        "quant_method": "bitnet", "linear_class": "autobitlinear",
        "quantization_mode": "online",
      ]
      for (key, value) in own?.object ?? [] where quantization[key] == nil {
        quantization = quantization.setting(key, value)
      }
      document = document.setting("quantization_config", quantization)
    }
    return document.setting(
      "tritlab",
      [
        "quantizer": .string(quantizer.description),
        "activations": .string(activations.description),
      ])
  }
}
