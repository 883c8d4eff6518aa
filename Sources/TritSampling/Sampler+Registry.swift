public import TritCore

extension Registry where Product == any Sampler {
  /// Every sampler that the lab ships; reference first.
  public static var standard: Registry<any Sampler> {
    let registry = Registry<any Sampler>(stage: "sampler", key: "sampler")
    return registry
  }
}
