// Depthwise convolution and its gradients: channels last, bfloat16 in and out, float32 sums; stride 1, kernels of 3 and
// 5, any dilation, channels in multiples of 16. Needs AVX-512 BF16. depthwise_cpu.py builds and calls it.
//
// Why it is here: oneDNN's gradient of a depthwise convolution is what a training step on a CPU waits for. Of 12
// pictures of 320 px on one core a step took 2.09 s, with this 1.47 s (docs/training-log.md, run 19).
#include <immintrin.h>
#include <cstdint>
#include <cstring>
#include <omp.h>
typedef uint16_t b16;
static inline __m512 ld(const b16* p){return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i*)p)),16));}
static inline void st(b16* p, __m512 v){_mm256_storeu_si256((__m256i*)p,(__m256i)_mm512_cvtneps_pbh(v));}
template<int K> static void fwd(const b16*x,const float*w,b16*y,int N,int H,int W,int C,int d,int p,int flip){
  #pragma omp parallel for collapse(2) schedule(static)
  for(int n=0;n<N;n++)for(int yy=0;yy<H;yy++){
    for(int xx=0;xx<W;xx++){
      b16*o=y+(((size_t)n*H+yy)*W+xx)*C;
      int c=0;
      for(;c+64<=C;c+=64){
        __m512 a0=_mm512_setzero_ps(),a1=a0,a2=a0,a3=a0;
        for(int ky=0;ky<K;ky++){int sy=yy+ky*d-p;if(sy<0||sy>=H)continue;
          for(int kx=0;kx<K;kx++){int sx=xx+kx*d-p;if(sx<0||sx>=W)continue;
            const b16*s=x+(((size_t)n*H+sy)*W+sx)*C+c;
            int k=ky*K+kx;if(flip)k=K*K-1-k;const float*ww=w+(size_t)k*C+c;
            a0=_mm512_fmadd_ps(ld(s),_mm512_loadu_ps(ww),a0);a1=_mm512_fmadd_ps(ld(s+16),_mm512_loadu_ps(ww+16),a1);
            a2=_mm512_fmadd_ps(ld(s+32),_mm512_loadu_ps(ww+32),a2);a3=_mm512_fmadd_ps(ld(s+48),_mm512_loadu_ps(ww+48),a3);}}
        st(o+c,a0);st(o+c+16,a1);st(o+c+32,a2);st(o+c+48,a3);
      }
      for(;c+16<=C;c+=16){
        __m512 a0=_mm512_setzero_ps();
        for(int ky=0;ky<K;ky++){int sy=yy+ky*d-p;if(sy<0||sy>=H)continue;
          for(int kx=0;kx<K;kx++){int sx=xx+kx*d-p;if(sx<0||sx>=W)continue;
            const b16*s=x+(((size_t)n*H+sy)*W+sx)*C+c;int k=ky*K+kx;if(flip)k=K*K-1-k;
            a0=_mm512_fmadd_ps(ld(s),_mm512_loadu_ps(w+(size_t)k*C+c),a0);}}
        st(o+c,a0);
      }
    }}
}
template<int K> static void wgr(const b16*x,const b16*g,float*dw,int N,int H,int W,int C,int d,int p){
  int nb=C/16;
  #pragma omp parallel for schedule(dynamic)
  for(int b=0;b<nb;b++){int c=b*16;
    __m512 acc[K*K];for(int k=0;k<K*K;k++)acc[k]=_mm512_setzero_ps();
    for(int n=0;n<N;n++)for(int yy=0;yy<H;yy++){
      const b16*gr=g+(((size_t)n*H+yy)*W)*C+c;
      int x0=p, x1=W-((K-1)*d-p); // inside: no column tests
      for(int xx=0;xx<W;xx++){
        __m512 gv=ld(gr+(size_t)xx*C);
        bool in=xx>=x0&&xx<x1;
        #pragma GCC unroll 5
        for(int ky=0;ky<K;ky++){int sy=yy+ky*d-p;if(sy<0||sy>=H)continue;
          const b16*row=x+(((size_t)n*H+sy)*W)*C+c;
          #pragma GCC unroll 5
          for(int kx=0;kx<K;kx++){int sx=xx+kx*d-p;if(!in&&(sx<0||sx>=W))continue;
            acc[ky*K+kx]=_mm512_fmadd_ps(gv,ld(row+(ptrdiff_t)sx*C),acc[ky*K+kx]);}}
      }}
    for(int k=0;k<K*K;k++)_mm512_storeu_ps(dw+(size_t)k*C+c,acc[k]);
  }
}
extern "C"{
void dw_fwd(const b16*x,const float*w,b16*y,int N,int H,int W,int C,int K,int d,int p,int flip,int th){omp_set_num_threads(th);
  if(K==3)fwd<3>(x,w,y,N,H,W,C,d,p,flip);else fwd<5>(x,w,y,N,H,W,C,d,p,flip);}
void dw_wgr(const b16*x,const b16*g,float*dw,int N,int H,int W,int C,int K,int d,int p,int th){omp_set_num_threads(th);
  if(K==3)wgr<3>(x,g,dw,N,H,W,C,d,p);else wgr<5>(x,g,dw,N,H,W,C,d,p);}
}
