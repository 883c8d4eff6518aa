import Testing
import TritLab

/// Every registered kernel asks for the instruction sets that its name says.
@Suite struct KernelFeatureTests {
  /// Names of sets that a descriptor must list, by the end of the kernel's name.
  static let needed: [String: [String]] = [
    "avx2": ["avx2"], "avxvnni": ["avx2", "avxvnni"], "avx512": ["avx512"],
    "avx512vnni": ["avx512", "avx512vnni"], "avx512vbmi": ["avx512", "avx512vbmi"],
    "neon": ["neon"], "neon-dotprod": ["neon", "dotprod"],
  ]

  @Test func aKernelIsOfferedWhereAllItsSetsAre() {
    var seen = 0
    for descriptor in Registry<any LinearKernel>.standard.descriptors {
      guard let set = descriptor.name.split(separator: "/").dropFirst().first,
        let needed = Self.needed[String(set)]
      else { continue }
      #expect(Set(descriptor.instructionSets).isSuperset(of: needed), "\(descriptor.name)")
      let isThere = Set(CPUFeatures.here.names).isSuperset(of: descriptor.instructionSets)
      #expect((descriptor.unavailable == nil) == isThere, "\(descriptor.name)")
      seen += 1
    }
    #expect(seen >= 6)
  }

  /// base3 and the lossy TL1 on VBMI add by vpdpbusd.
  @Test(arguments: ["base3/avx512vbmi", "tl1_0/avx512vbmi"])
  func vbmiLeavesThatAddByVNNIAskForIt(name: String) {
    let found = Registry<any LinearKernel>.standard.descriptors.first { $0.name == name }
    guard let found else { return }
    #expect(found.instructionSets.contains("avx512vnni"), "\(found.instructionSets)")
  }
}
