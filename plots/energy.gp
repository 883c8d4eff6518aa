# Arithmetic energy of a token by part, each variant at 45 nm and 7 nm.
# data: row, linear, attention, other, head, label, total, shown
eval by_variant
set xlabel 'µJ a token (adders and multipliers alone, no memory)'
set xrange [0:*]
set offsets 0, graph 0.12, 0, 0
set rmargin 5
set key above right horizontal samplen 1 font ',11'
half = 0.34
plot data using 2:1:(0):2:($1-half):($1+half):ytic(6) with boxxyerror lc rgb blue title 'linear layers', \
  data using ($2+$3):1:2:($2+$3):($1-half):($1+half) with boxxyerror lc rgb orange title 'attention', \
  data using ($2+$3+$4):1:($2+$3):($2+$3+$4):($1-half):($1+half) with boxxyerror lc rgb green title 'norms and the rest', \
  data using 7:1:($2+$3+$4):7:($1-half):($1+half) with boxxyerror lc rgb purple title 'output head', \
  data using 7:1:8 with labels left offset 0.7,0 font ',10'
