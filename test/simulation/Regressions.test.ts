import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { readReplayToken } from "../../src/simulation/report/ReplayToken.ts"
import { runScenario } from "../../src/simulation/RunScenario.ts"

/** Scenarios that broke an invariant once, each shrunk, and what the server does since. */
const TOKENS: ReadonlyArray<readonly [fact: string, token: string]> = [
  [
    "a fan-out that is cancelled after one of its hosts ended is not said never to have started",
    "sim1-rZFPa9wwEMW_SnjHoJaNU4dE19BjCaS9laVM7bEtVn-MRs5mMf7uZeQ9lEKhh95Go5n3fk9aIcw9bPPw2Ny37WPbGkxJisB-X0HekcBi-oS9HSlwPX8UF2BAfZ9ZhHUcQ384WNviaDCnXGCbxkAm9h4WcxL3DoNA719ZxKUosHcHA0-FY3f54rx3AnswGGjxFeBo0KU4uHHJyojqblBorH7kPY6b-Q2z_QOz_Tvmw__DXHFyUfnEp_MHinLmDAMpNCoFLWVShqFwrovFBSW5MwhXtWb7p6iV2LvuArvijbPiwd4beBecoqybQV4871ROhfiN8-U8cVY56kpdUb10hnqGQLGvHtxN6eYWqhZZajX4lPpaiWee9x45X4ve8c2tUm2alefd9EehERavS3yJ32hU01JTn_gC-2Qw5zRmChrhOvu5mxI2g5-e4ml_mP1CU-v_XueeKXbsr4qNDslJZdIA-7Rtx-0X"
  ],
  [
    "a command that ran before anybody learned of its start is not said never to have started",
    "sim1-jZE9a8MwEIb_SnnHIIrtQBO0lo6dMhZTrvY5FjlbRlK-CP7v5eSUdsjQ7XSSnuc-bojMLWxVrl825bbYFga9jynCftxA4ijCoi-xpEcaOJ-foxtgQG0bOEbW5-jaorC2Qm0w-ZBgq8og9iwCi8lHd4HBQJcdx-j8GGHLwkAo8dhc352I05RBR0fJBdQGjR87tz8GrRHZbpBon30kgnrONnHNFfaGEwdFw64NxA1OMbfZIByFl5acgvjE4XruOSiOmpS_KM-foc5hoLHNDm56_7SC0kaOOerE-zZHyTWHJReFeVpuyUkOWsdPK61vNoiJp0X_mWgPi12ikNSdYAuDA19hy7XBFPw-0KCt3F--Nb3HbPAlNB6W-fzZymweIqvNpvyhFo-oO61Xt3GfevEfwyuNDcuvotJVxINifaemea7nbw"
  ],
  [
    "a wall clock that is set back does not hold up a connect",
    "sim1-lZJNa-MwEIb_SnmPRSlOvARH19LLwp56XMIylSe2sD6MJLcNwf99GTmFHvay-DKWxs_M8-IbMnMP3Xantu2OPw6dwhhzydC_byBnKUNjbLAdB_Jc35-y9VCgvk-cM0s79s2TPHucFeaYCvThoJBHdg4ac8z2EwqePl85ZxtDht43Co4KB3P9ZZ2zGbpRuNDi7htMNvTQMDEENmVXrOe4FCjkQoOsUswse1wKJ-i9gnTkWvkv4Kr-l9P8m3NWArjYYUmSGWoaCoWG6k_O4bxWeWfNFfqGd05iCt0qOOutWN1WhbQ43gStgPid0_Vj5CQ4MqV-Irz4AZnpPYW-zmAzxodHCC1wrtXFxdjXqlgzbWfZMc_bLVlXi97yw6Pst4o0z9v4P4UGaLwWSpIGlSo_8bWqzykOibyY3BtfzBixKrw5CtOWz7efRJK-Nz67aKafi5_v1G9B7rpjezqdumY9r38B"
  ],
  [
    "a host that falls silent does not hold up a shutdown",
    "sim1-PZDLbhsxDEV_JbjLQA1sp61d7bssCiTZFUbBzNAzhPUYiJo4hjH_XlBjFNpQfNx7yBuUuYfff99-23w97B3GrFXh_9xAQUjhMe6wphNFbv8nlQgH6vvCqmzt2G6e7D3j6DDlUuF3OwcdOQR4TFnlEw6RPl9ZVXJS-O3GIVDl1F1_SQii8BuHE83hTnCW1Jth1vpFJXCqcNBKg2F0I6XEwThOlUubrRKNZusQ74L73WG_HB26nE4yzMWWRVvEodLQ0CmYyoXfcVwafZDuCn_DBxdDhX92CBLFsG6LQ5kDr4RicvzB5XoZuZgodbWNmGq-wJxjpNQ3J-7G_PAIU0usLTqFnPsWVenOa04D87RWSUILeuGHR-Nb7AI8rfZ_Kw3weJnT7_RGg9nXdogzX-EPDlPJQ6Foy9x7f3ZjxuLwHiid11utBdt_cf_7Xse59vmS7po_luPyDw"
  ],
  [
    "a stop that began before a shutdown does not hold it up",
    "sim1-TZFNT8MwDIb_CnqPyKB2Hwhy58hpRzQh03httHxUSco2Tf3vKGklUC6O7bzvY-eOJKKhtm-712a_b1rCEFJOUJ93sDWcoDA0WNKendT7czIOBNY6SkpS2tE2z-W0OBLGEDPUZkNIg1gLhTEkcwXB8fUgKZngE9QLwXIW390-jLUmQW0IJ57sCnA2XkNBrtI9TZ59ukgUDULK3MtaKRynLBGqIWTjCs2W4FbFdtM0TTsfCV3wJ9NPRUGhjkLI3Fd4thYE_Y3jXPGt6W5Qd_xILKxV0RpnCth9JsTJysJoKuGPxNtlkFg0ucv1SRENFxRj59jraiTdEB4eUdS8pBqdbAi6Rtl05yWXrMi4VNnYGmgjD4-Fby7zy7jYf2XuoXDIHHPxznUNZ7nVXY4x9JFdmWRtfO-GgJnwbdmfy3ro_zfP9Kc4TFmHi19F2_12t5uP8y8"
  ],
  [
    "a host that may still run is not said to be stopped when its fan-out, which ended, is cancelled",
    "sim1-nZRLb9swEIT_SjDHgAn0iF-8Fu2tKND0FhgBLa0k1hQpkFQSw9B_L0g5iGK7rlHoIIqUduabXWgPR1SCZ4s8y5ez-WrG0BjnHfjTHkJJ4cDRJBi3tWgpPt872YJBlKUl5yi8jjS5D1eKNUNnrAfPMgbXkFLgqIwlWWswtOLtkZyTRjvwlEEJT7rYfZdKSQeeMVSiVwcLW6lLcNAbFXdt7wkMzos6uHDedMFD5cmCJwxetjQWaA-10sWwZiiMrmTd2wCKiMDgRR1NC6XA8EobMFBZE9YDm4CnR-DpBfAMDFWZJJxn0wiuCGF-MYRjgoP2CUT5F4b8iCG_wPBwvnmdcfLtpHXJie3kXO9-9213FwzclZLcpwZaEq3U9bkuph9dnKdJOruukdMMIomSxQ58jxeywTZ4zqBkK4PFfeB5LowuemtJ-2cv3NaB5wOD7RWNFDLO3wvZ3WtDNkiKwsdSQdO8IvhqW6HL6IOKxtzcIqhocnFVKWPKuPKy2I57ThF146mQKi5KSTe3wfcQIqJulH_2ogbHz17_0L9EjMrHnLa0i_fOmtqKNuAc3v1aNAYDw0YJvR2jHA9CRmE0LtdMz9V8DH7x0ZPlap4v_18jO6fxzdiNLEvSU_PZOBGm949UmBjyfKrFYLTaheSbbBz8d8deWH8km1-DlqV5sviMNvkR_pvt4SybkCpOSkngD6tJ-fwUMMvfCeM8b4QvGvCn2RTvi9AFqYP0arlKFuEbtw2apgJPh2E9_AE"
  ],
  [
    "a fan-out that is cancelled in the moment of its start has nothing that may still run",
    "sim1-rZRRb5swFIX_SnUeK6uySUkav07b06ZW694mNDlwE7wYjGzTFEX898mGSTTNpj1MvBhzOee75xrO8EQV5D0X61zcb7c5Q2198JDfz1BGKw-JmmPablVD6f7O6wYMqqoceU-xHPuKcykFGAS_i5dAwdBZFyCzjMHXZAwkOuv1Kxga9fpM3mvbekjBGYwK1JbDF22MjlsMe9WbxFIwlLbd60PvIi4SCENQh2StjAHDiXYoRrbgFhfc4hr3TJstaZe8NtTk_oE3-wvvbPgOudpF1599000xj4nB6HKAPOOFXLSDXDEY3egofR4ZXG9ompCO4vRCbjjV5GIkqgzplWhgT4gcTaPaKplSWdubW0S1lnxa7Y21VVoFXR6nPW-Iuump0iYtKk03tyjGYmTwgbrJ_kdQB0g8qQM99qHrQwQIkDz26Y-xB7uHXI8pvc_RdJqrs02cIp3IB8SRzUpf-_ax_aYOs8795oEzHGmAXDN0zh6caqLqXP6xrC1Ghp1R7XGSnh5Uu6Xqk01hz4r5Jdz1ypxzcVHJUNbaVPOolq9dBpCvsvw_ZSDy9SqbQxCbayl8iiMEw24IUTtfb0V-LZR45K73OnssecXmTYO6_c2TcbEVbPlv-DN7xrerzcyeXUVX2qQzWhFktrmg1g3ZPjxTadP5FQ-L8aYPrOydi59gKretGeIhr_n0F5gtPqi2JPMWaNloNo7F-As"
  ],
  [
    "a command that ends in the moment of its cancel is not said to be possibly alive",
    "sim1-jZJPi9swEMW_yvKOy7BY9oYkurbsrSxs9raEosgTW0SWgiRvGoK_e5GclgTaUnwZ68_7vaeZCyJzC9ksVutFJZr1ktD7mCLkxwXKGhUh0VeYl50auPw_RTOAoNo2cIycj0NUT_kT2BKOPiTIuibEnq2FxN4HNp0DYVA_Nhyj8S5CNgSrEjt9_masNRGyJuzVaIuFLUF7tzfdGLJLFD4hqa4QlbUgnHgHArcdYzsVtjX6DHnBJ4eMmSlmMFnzMhHCaHlOaLIqf3I4n3oOWVvpVK5kcX9CNjAMyrUFyLr3D4_Iao5jqfbW-7ZUyejDvBYt83HeVcaWojX88Jj9TYSY-DjjvyfVQWKTVEiZnSBFvV4RDnyGrAjH4LughhzmevYl80DYnVPO0Czrej0Rdla5w_x6yQzsx7Rh7YvtJd02cqLfUm-je3XvqruS6-dqcSU3_0EWdbNaiX-j8wDMl-dWae_0GEJudzm_U0n3kB8NLUhsy2i8KGPHkAH1jdWvftxZ_qKcZntnN6l4yB79HrKZ_h5ONFUtrunEn9K95-4Vi6NL5e3LWPyaytug4jbUDfLOXgY-3_sT07SdfgI"
  ]
]

describe("what the simulation found once", () => {
  for (const [fact, token] of TOKENS) {
    it(fact, () => {
      assert.deepStrictEqual(runScenario(Result.getOrThrow(readReplayToken(token))).violations, [])
    })
  }
})
