import TritCore
