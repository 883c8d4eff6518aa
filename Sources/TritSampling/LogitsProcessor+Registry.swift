public import TritCore

extension Registry where Product == any LogitsProcessor {
  /// Every logits processor that the lab ships; reference first.
  public static var standard: Registry<any LogitsProcessor> {
    let registry = Registry<any LogitsProcessor>(stage: "logits processor", key: "processor")
    return registry
  }
}
