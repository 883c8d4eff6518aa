public import TritCore

extension Registry where Product == any WeightQuantizer {
  /// Every weight quantizer that the lab ships; reference first.
  public static var standard: Registry<any WeightQuantizer> {
    let registry = Registry<any WeightQuantizer>(stage: "weight quantizer", key: "quantizer")
    return registry
  }
}
