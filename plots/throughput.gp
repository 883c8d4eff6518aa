# Speed of each variant: how fast a prompt is read and how fast new tokens come.
# data: row, prefill, deviation, decode, deviation, label, prefill shown, decode shown, roofs of both, what ran
# roofs: 1 where the machine's roofs were measured.  disturbed: 1 where others used the machine
eval by_variant
set xlabel 'Tokens a second (median of rounds, ± median absolute deviation)'.(disturbed ? '; (!): others used the machine' : '')
set xrange [0:*]
set offsets 0, graph 0.18, 0, 0
set rmargin 5
set key above right horizontal samplen 1 font ',11'
half = 0.19
plot data using 2:($1-half):(0):2:($1-2*half):1:ytic(6) with boxxyerror lc rgb blue title 'prefill', \
  data using 4:($1+half):(0):4:1:($1+2*half) with boxxyerror lc rgb orange title 'decode', \
  data using 2:($1-half):3 with xerrorbars lc rgb black lw 1.2 pt 0, \
  data using 4:($1+half):5 with xerrorbars lc rgb black lw 1.2 pt 0, \
  data using (0):($1+2*half+0.09):11 with labels left offset 0.5,0 font ',9' textcolor rgb gray, \
  data using ($2+$3):($1-half):7 with labels left offset 0.7,0 font ',10', \
  data using ($4+$5):($1+half):8 with labels left offset 0.7,0 font ',10', \
  data using (roofs && $9 > 0 ? $9 : 1/0):($1-2*half):(0):(2*half) with vectors nohead lc rgb red lw 2 title (roofs ? 'what the machine allows' : ''), \
  data using (roofs && $10 > 0 ? $10 : 1/0):($1):(0):(2*half) with vectors nohead lc rgb red lw 2
