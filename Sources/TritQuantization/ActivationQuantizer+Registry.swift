public import TritCore

extension Registry where Product == any ActivationQuantizer {
  /// Every activation quantizer that the lab ships; reference first.
  public static var standard: Registry<any ActivationQuantizer> {
    let registry = Registry<any ActivationQuantizer>(
      stage: "activation quantizer", key: "activations")
    return registry
  }
}
