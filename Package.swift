// swift-tools-version: 6.2
import PackageDescription

/// Settings of every Swift target: Swift 6 mode plus the upcoming checks that keep imports honest.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// The libraries, lowest row first. Each imports only from rows above it in this table (DESIGN: the
/// house): core, formats, the stages side by side, model, evaluation and training, experiments.
let libraries: [(name: String, dependencies: [Target.Dependency])] = [
  ("TritCore", ["CTritKernels"]),
  ("TritFormats", ["TritCore"]),
  ("TritTokenization", ["TritCore", "TritFormats"]),
  ("TritQuantization", ["TritCore"]),
  ("TritKernels", ["TritCore", "CTritKernels"]),
  ("TritArena", ["TritCore", "TritKernels"]),
  ("TritAttention", ["TritCore", "CTritKernels"]),
  ("TritSampling", ["TritCore"]),
  (
    "TritModel",
    [
      "TritCore", "TritFormats", "TritTokenization", "TritQuantization", "TritKernels",
      "TritAttention", "TritSampling",
    ]
  ),
  (
    "TritTraining",
    [
      "TritCore", "TritFormats", "TritTokenization", "TritQuantization", "TritKernels",
      "TritAttention", "TritModel",
    ]
  ),
  (
    "TritEvaluation",
    [
      "TritCore", "TritFormats", "TritTokenization", "TritKernels", "TritSampling", "TritModel",
      "TritTraining",
    ]
  ),
  (
    "TritExperiments",
    [
      "TritCore", "TritFormats", "TritTokenization", "TritQuantization", "TritKernels",
      "TritAttention", "TritSampling", "TritModel", "TritTraining", "TritEvaluation", "CYaml",
    ]
  ),
  (
    "TritLab",
    [
      "TritCore", "TritFormats", "TritTokenization", "TritQuantization", "TritKernels",
      "TritArena", "TritAttention", "TritSampling", "TritModel", "TritTraining", "TritEvaluation",
      "TritExperiments",
    ]
  ),
]

let tested = libraries.map(\.name).filter { $0 != "TritLab" }

let package = Package(
  name: "TritLab",
  products: [
    .executable(name: "trit", targets: ["trit"]),
    .library(name: "TritLab", targets: ["TritLab"]),
  ],
  targets: [
    // MARK: System libraries and C leaves
    .systemLibrary(name: "CYaml", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .target(name: "CTritKernels"),

    // MARK: The command
    .executableTarget(name: "trit", dependencies: ["TritLab"], swiftSettings: strict),

    // MARK: Test support: fixtures shared by the suites
    .target(
      name: "_TritTestSupport",
      dependencies: ["TritCore", "TritFormats"],
      path: "Tests/_TritTestSupport",
      swiftSettings: strict),
    .target(name: "_CAllocationCounter", path: "Tests/_CAllocationCounter"),
    .target(name: "_CFuzzHooks", path: "Tests/_CFuzzHooks"),
    // Attacks the libraries and, through a link to its sources, the command's options.
    .executableTarget(
      name: "trit-fuzz", dependencies: ["TritLab", "_TritTestSupport", "_CFuzzHooks"],
      path: "Tests/TritFuzz", exclude: ["Command/Main.swift"], swiftSettings: strict),
    // Kernels that cheat, and a program that races them as the command does, for the tests of the arena.
    .executableTarget(
      name: "trit-arena-cheats", dependencies: ["TritCore", "TritKernels", "TritArena"],
      path: "Tests/ArenaCheats", swiftSettings: strict),
    .testTarget(
      name: "CommandTests", dependencies: ["TritLab", "trit", "_TritTestSupport"],
      exclude: ["Snapshots"], swiftSettings: strict),
  ]
    + libraries.map {
      .target(
        name: $0.name, dependencies: $0.dependencies,
        resources: $0.name == "TritModel" ? [.copy("Resources")] : [], swiftSettings: strict)
    }
    + tested.map {
      .testTarget(
        name: "\($0)Tests", dependencies: ["TritLab", "_TritTestSupport", "_CAllocationCounter"],
        swiftSettings: strict)
    },
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c11
)
