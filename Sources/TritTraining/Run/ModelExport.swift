import Foundation
public import TritCore
import TritFormats
import TritModel

/// Writes a trained model as a Hugging Face folder: bfloat16 masters, `config.json`,
/// `generation_config.json`.
///
/// A model trained with absmean and int8 says so in `quantization_config` as transformers does for
/// online BitNet layers; one trained in full precision has none. `tritlab` holds the stages in any
/// case. Source: transformers 5, `integrations/bitnet.py`, `models/bitnet`.
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
    if let endOfText {
      generation += [
        ("bos_token_id", JSONValue(endOfText)), ("eos_token_id", JSONValue(endOfText)),
      ]
    }
    try AtomicFile.write(
      JSONWriter.text(.object(generation), pretty: true) + "\n",
      to: folder + "/generation_config.json")
  }

  /// `config.json`.
  static func configuration(
    _ shape: ModelShape, quantizer: StageChoice, activations: StageChoice, endOfText: Int?
  ) -> JSONValue {
    let isBitNet = shape.block == .bitnet
    var members: [(key: String, value: JSONValue)] = [
      ("architectures", [.string(isBitNet ? "BitNetForCausalLM" : "LlamaForCausalLM")]),
      ("model_type", .string(isBitNet ? "bitnet" : "llama")),
      ("hidden_size", JSONValue(shape.hidden)),
      ("intermediate_size", JSONValue(shape.feedForward)),
      ("num_hidden_layers", JSONValue(shape.layers)),
      ("num_attention_heads", JSONValue(shape.heads)),
      ("num_key_value_heads", JSONValue(shape.keyValueHeads)),
      ("head_dim", JSONValue(shape.headDimension)),
      ("vocab_size", JSONValue(shape.vocabulary)),
      ("hidden_act", .string(shape.activation.rawValue)),
      ("max_position_embeddings", JSONValue(shape.context)),
      ("rms_norm_eps", JSONValue(shape.normEpsilon)), ("rope_theta", JSONValue(shape.ropeBase)),
      ("attention_bias", false), ("mlp_bias", false), ("attention_dropout", 0.0),
      ("tie_word_embeddings", JSONValue(shape.tiesEmbeddings)), ("torch_dtype", "bfloat16"),
      ("use_cache", true),
    ]
    if let endOfText {
      members += [("bos_token_id", JSONValue(endOfText)), ("eos_token_id", JSONValue(endOfText))]
    }
    if quantizer == StageChoice("absmean"), activations == StageChoice("int8") {
      members.append(
        (
          "quantization_config",
          [
            "quant_method": "bitnet", "linear_class": "autobitlinear",
            "quantization_mode": "online",
          ]
        ))
    }
    members.append(
      (
        "tritlab",
        [
          "quantizer": .string(quantizer.description),
          "activations": .string(activations.description),
        ]
      ))
    return .object(members)
  }
}
